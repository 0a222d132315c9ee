use scheduler_core::Request;

struct User;

#[derive(Request)]
#[request(GET, "/users", answer = User)]
struct GetUser;

fn main() {}
