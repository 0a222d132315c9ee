use scheduler_core::Request;

#[derive(Request)]
#[request(GET, "/users")]
struct GetUsers {
    #[request(json)]
    name: String,
}

#[derive(Request)]
#[request(HEAD, "/users")]
struct HasUsers {
    #[request(form)]
    name: String,
}

fn main() {}
