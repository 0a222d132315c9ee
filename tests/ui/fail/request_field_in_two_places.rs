use scheduler_core::Request;

#[derive(Request)]
#[request(POST, "/users")]
struct AddUser {
    #[request(query, json)]
    page: u32,
    #[request(query)]
    #[request(json)]
    size: u32,
}

fn main() {}
