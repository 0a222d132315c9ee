use scheduler_core::Request;

#[derive(Request)]
#[request(get, "/users")]
struct Small;

#[derive(Request)]
#[request(FETCH, "/users")]
struct Unknown;

#[derive(Request)]
#[request("/users")]
struct Missing;

#[derive(Request)]
#[request(GET)]
struct Alone;

fn main() {}
