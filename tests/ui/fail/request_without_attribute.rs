use scheduler_core::Request;

#[derive(Request)]
struct GetUser {
    #[request(path)]
    id: u64,
}

fn main() {}
