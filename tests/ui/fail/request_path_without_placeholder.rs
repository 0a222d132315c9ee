use scheduler_core::Request;

#[derive(Request)]
#[request(GET, "/users")]
struct GetUser {
    #[request(path)]
    id: u64,
}

fn main() {}
