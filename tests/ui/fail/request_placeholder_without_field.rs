use scheduler_core::Request;

#[derive(Request)]
#[request(GET, "/users/{id}/mails/{mail}")]
struct GetMail {
    #[request(path)]
    id: u64,
}

#[derive(Request)]
#[request(GET, "/users/{user}")]
struct GetUser {
    #[request(path)]
    users: u64,
}

fn main() {}
