use scheduler_core::Request;

#[derive(Request)]
#[request(GET, "/users")]
enum Users {
    All,
}

#[derive(Request)]
#[request(GET, "/users/{id}")]
struct User(u64);

fn main() {}
