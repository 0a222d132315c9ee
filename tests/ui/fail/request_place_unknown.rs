use scheduler_core::Request;

#[derive(Request)]
#[request(POST, "/users")]
struct AddUser {
    #[request(queries)]
    page: u32,
    #[request(body)]
    name: String,
    #[request(json, rename = "full_name")]
    full: String,
}

fn main() {}
