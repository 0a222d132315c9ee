use scheduler_core::Request;

const URL: &str = "https://api.example.com";

#[derive(Request)]
#[request(GET, URL)]
struct NoLiteral;

#[derive(Request)]
#[request(GET, "users")]
struct NoSlash;

#[derive(Request)]
#[request(GET, "ftp://api.example.com/users")]
struct Scheme;

#[derive(Request)]
#[request(GET, "https:///users")]
struct NoHost;

#[derive(Request)]
#[request(GET, "/users?page=1")]
struct Query;

#[derive(Request)]
#[request(GET, "https://{host}/users")]
struct Host;

#[derive(Request)]
#[request(GET, "https://user:word@api.example.com/users")]
struct Password;

#[derive(Request)]
#[request(GET, "/users/{id")]
struct Brace;

#[derive(Request)]
#[request(GET, "/users/../admin")]
struct Dots;

fn main() {}
