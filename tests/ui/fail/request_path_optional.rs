use scheduler_core::Request;

#[derive(Request)]
#[request(GET, "/users/{id}/mails/{mails}")]
struct GetMails {
    #[request(path)]
    id: Option<u64>,
    #[request(path)]
    mails: Vec<u64>,
}

fn main() {}
