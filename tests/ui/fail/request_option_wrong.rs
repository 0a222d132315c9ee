use scheduler_core::Request;

#[derive(Request)]
#[request(GET, "/users", answers = u8)]
struct Unknown;

#[derive(Request)]
#[request(GET, "/users", timeout = "5s", timeout = "6s")]
struct Twice;

#[derive(Request)]
#[request(GET, "/users", timeout = "soon")]
struct Unreadable;

#[derive(Request)]
#[request(GET, "/users")]
#[request(POST, "/users")]
struct Both;

fn main() {}
