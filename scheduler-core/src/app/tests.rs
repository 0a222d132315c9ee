//! What a program may register, and what is refused before anything is touched.

use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
struct Mail {
    #[expect(dead_code, reason = "it is the type that counts")]
    host: String,
}

struct Greeting;

fn prepare(app: App) -> AppError {
    app.prepare(&Config::sqlite("never/opened.db")).unwrap_err()
}

#[test]
fn what_is_registered_twice_is_refused_with_all_places_and_all_at_once() {
    let line = line!();
    let app = App::new()
        .state(Greeting)
        .config::<Mail>("mail")
        .state(Greeting)
        .state(5_u8)
        .config::<Mail>("news")
        .config::<Greetings>("mail");
    let file = file!();
    let at = |offset: u32| format!("{file}:{}", line + 1 + offset);
    let (greeting, mail) = (type_name::<Greeting>(), type_name::<Mail>());
    let wrap = "expected once: leave one out, or wrap it in a type of its own";
    let split = "expected once: give the second a section of its own";
    let expected = [
        format!("section [app.mail]: registered at {} and {}, {split}", at(2), at(6)),
        format!("settings of type {mail}: registered at {} and {}, {wrap}", at(2), at(5)),
        format!("state of type {greeting}: registered at {} and {}, {wrap}", at(1), at(3)),
    ];
    assert_eq!(prepare(app).to_string(), expected.join("; "));
}

#[derive(Debug, Deserialize)]
struct Greetings {}

#[test]
fn settings_come_from_a_section_or_from_the_program_and_not_from_both() {
    #[track_caller]
    fn check(app: App) {
        let AppError::Twice(twice) = prepare(app) else { panic!("it is registered twice") };
        let what: Vec<_> =
            twice.iter().map(|twice| (twice.what.as_str(), twice.places.len())).collect();
        assert_eq!(what, [(format!("settings of type {}", type_name::<Greetings>()).as_str(), 2)]);
    }
    check(App::new().config_value(Greetings {}).config_value(Greetings {}));
    check(App::new().config::<Greetings>("greetings").config_value(Greetings {}));
    check(App::new().config_value(Greetings {}).config::<Greetings>("greetings"));
    // State is looked for elsewhere, and settings that are given need no section.
    let error = prepare(App::new().config_value(Greetings {}).state(Greetings {}));
    assert!(matches!(error, AppError::Registry(RegistryError::Empty)), "{error}");
}

#[test]
fn the_settings_of_a_configuration_without_files_are_those_that_need_nothing() {
    // No job is linked into the unit tests, and that is looked at last.
    let error = prepare(App::new().config::<Greetings>("greetings"));
    assert!(matches!(error, AppError::Registry(RegistryError::Empty)), "{error}");
    let error = prepare(App::new().config::<Mail>("mail").config::<Greetings>("greetings"));
    let name = type_name::<Mail>();
    assert_eq!(
        error.to_string(),
        format!("the program: [app.mail] is missing, expected the settings of {name}")
    );
}
