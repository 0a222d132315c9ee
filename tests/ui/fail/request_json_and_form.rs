use scheduler_core::Request;

#[derive(Request)]
#[request(POST, "/users")]
struct AddUser {
    #[request(json)]
    name: String,
    #[request(form)]
    age: u8,
}

fn main() {}
