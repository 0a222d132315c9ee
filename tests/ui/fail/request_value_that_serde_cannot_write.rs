use scheduler_core::Request;

struct Page;

#[derive(Request)]
#[request(GET, "/users")]
struct GetUsers {
    #[request(query)]
    page: Page,
}

fn main() {}
