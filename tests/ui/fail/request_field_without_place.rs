use scheduler_core::Request;

#[derive(Request)]
#[request(GET, "/users")]
struct GetUsers {
    page: u32,
    #[request]
    size: u32,
    #[request()]
    order: u32,
}

fn main() {}
