use scheduler_core::Request;

#[derive(Request)]
#[request(GET, "/users")]
struct GetUsers {
    #[request(query)]
    name: String,
    #[request(query, name = "name")]
    other: String,
    #[request(query, name = "")]
    empty: String,
    #[request(header, name = "x api key")]
    key: String,
    #[request(header)]
    x_id: u8,
    #[request(header, name = "X-Id")]
    id: u8,
}

fn main() {}
