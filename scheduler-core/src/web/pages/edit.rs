//! Writing a row: a form, what it changes, and only then the row.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use chrono::SubsecRound as _;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    admin::{EditView, InstantView, JobView, coming_of},
    plan::task::{Field, TaskId, TaskRow, doubtful_keys},
    store::{EditFilter, EditId, NewTask, StoreError, TaskChange, TaskSelection, Version},
    web::{
        access::Caller,
        boards::board,
        frame::{Frame, led_to, page},
        problem::Problem,
        seen::{check_key, seen, sees_edit},
        site::Site,
    },
};

/// What the form holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Fields {
    /// `None`: a new row.
    #[serde(default)]
    id: Option<TaskId>,
    /// Of the row that the form was filled from.
    #[serde(default)]
    version: String,
    #[serde(default)]
    task_key: String,
    #[serde(default)]
    desc: String,
    #[serde(default)]
    execute_func: String,
    #[serde(default)]
    trigger: String,
    #[serde(default)]
    spec: String,
    #[serde(default)]
    args: String,
    #[serde(default)]
    extra: String,
    /// `1`, or absent.
    #[serde(default)]
    is_valid: String,
    /// Back to the form.
    #[serde(default)]
    back: String,
}

/// As it comes back from a field of several lines.
pub(super) fn in_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

impl Fields {
    fn of(row: &TaskRow) -> Self {
        let text = |field: &Field| field.clone().unwrap_or_default();
        Self {
            id: Some(row.id),
            version: Version::of(row).as_str().to_owned(),
            task_key: text(&row.task_key),
            desc: text(&row.description),
            execute_func: text(&row.execute_func),
            trigger: text(&row.trigger),
            spec: text(&row.spec),
            args: text(&row.args),
            extra: text(&row.extra),
            is_valid: text(&row.is_valid),
            back: String::new(),
        }
    }

    /// With what the history keeps of a row; what could not be read stays as it is.
    fn filled(mut self, row: &Value) -> Self {
        let columns = [
            ("task_key", &mut self.task_key),
            ("desc", &mut self.desc),
            ("execute_func", &mut self.execute_func),
            ("trigger", &mut self.trigger),
            ("spec", &mut self.spec),
            ("args", &mut self.args),
            ("is_valid", &mut self.is_valid),
            ("extra", &mut self.extra),
        ];
        for (column, field) in columns {
            if let Some(text) = row[column].as_str() {
                text.clone_into(field);
            }
        }
        self
    }

    /// As a browser sends back what it was given.
    fn as_sent(&self) -> Self {
        let mut sent = self.clone();
        for text in [&mut sent.args, &mut sent.extra] {
            *text = in_lines(text);
        }
        for text in [&mut sent.task_key, &mut sent.desc, &mut sent.execute_func, &mut sent.spec] {
            *text = text.replace(['\r', '\n'], "");
        }
        for text in [
            &mut sent.task_key,
            &mut sent.desc,
            &mut sent.execute_func,
            &mut sent.spec,
            &mut sent.args,
            &mut sent.extra,
        ] {
            *text = text.replace('\0', "\u{fffd}");
        }
        sent
    }

    fn is_enabled(&self) -> bool {
        self.is_valid == "1"
    }

    /// Each column, with its text.
    fn columns(&self) -> [(&'static str, String); 8] {
        let is_valid = if self.is_enabled() { "1" } else { "0" };
        [
            ("task_key", self.task_key.clone()),
            ("desc", self.desc.clone()),
            ("execute_func", self.execute_func.clone()),
            ("trigger", self.trigger.clone()),
            ("spec", self.spec.clone()),
            ("args", self.args.clone()),
            ("extra", self.extra.clone()),
            ("is_valid", is_valid.to_owned()),
        ]
    }

    fn extra(&self) -> String {
        if self.extra.trim().is_empty() { "{}".to_owned() } else { self.extra.clone() }
    }

    fn as_new(&self) -> NewTask {
        NewTask {
            id: None,
            task_key: self.task_key.clone(),
            description: self.desc.clone(),
            execute_func: self.execute_func.clone(),
            trigger: self.trigger.clone(),
            spec: self.spec.clone(),
            args: self.args.clone(),
            is_enabled: self.is_enabled(),
            extra: self.extra(),
        }
    }

    /// What differs from `row`: what is not touched in the form stays as it is there, however it is written, and so does
    /// what cannot be shown.
    fn as_change(&self, row: &TaskRow) -> TaskChange {
        let (shown, new) = (Self::of(row).as_sent(), self.as_sent());
        let differs = |new: &String, shown: &String| (new != shown).then(|| new.clone());
        TaskChange {
            task_key: differs(&new.task_key, &shown.task_key),
            description: differs(&new.desc, &shown.desc),
            execute_func: differs(&new.execute_func, &shown.execute_func),
            trigger: differs(&new.trigger, &shown.trigger),
            spec: differs(&new.spec, &shown.spec),
            args: differs(&new.args, &shown.args),
            is_enabled: (new.is_enabled() != shown.is_enabled()).then(|| new.is_enabled()),
            extra: (new.extra != shown.extra).then(|| new.extra()),
        }
    }
}

#[derive(Template)]
#[template(path = "edit.html")]
struct EditPage<'a> {
    frame: &'a Frame,
    fields: &'a Fields,
    /// Name and arguments.
    jobs: Vec<(&'static str, String)>,
    /// What is wrong: the column, and what is said of it.
    error: Option<(&'a str, &'a str)>,
    /// What is said above the form, and whether it is bad news.
    notice: Option<(&'static str, bool)>,
    /// What somebody else's edit left unsaved: field and text.
    yours: Vec<(&'static str, String)>,
}

impl<'a> EditPage<'a> {
    /// The form with `fields`, of which nothing is said.
    fn of(site: &Site, frame: &'a Frame, fields: &'a Fields) -> Self {
        let views = site.registry.iter().map(JobView::from);
        let jobs = views.map(|job| (job.name, job.args_line())).collect();
        Self { frame, fields, jobs, error: None, notice: None, yours: Vec::new() }
    }

    /// What the chosen job takes; empty: anything, or it is not known.
    fn takes(&self) -> &str {
        let chosen = self.jobs.iter().find(|(name, _)| *name == self.fields.execute_func);
        chosen.map_or("", |(_, args)| args)
    }

    fn is_job_known(&self) -> bool {
        self.jobs.iter().any(|(name, _)| *name == self.fields.execute_func)
    }

    /// What is wrong with `column`.
    fn error_of(&self, column: &str) -> Option<&str> {
        self.error.filter(|(of, _)| *of == column).map(|(_, error)| error)
    }
}

/// From what the form is filled.
#[derive(Deserialize)]
pub(super) struct Filled {
    /// The edit before which the row said so.
    from: Option<EditId>,
}

/// What the row said before an edit, for whom that exists.
async fn before(site: &Site, caller: &Caller, edit: EditId) -> Result<Value, Problem> {
    let filter = EditFilter { task_id: None, before: edit.checked_add(1), limit: 1 };
    let found = site.store().await?.edits(filter).await?;
    let view = found.iter().find(|row| row.id == edit).map(EditView::from);
    let before = view.filter(|view| sees_edit(caller, view)).and_then(|view| view.before);
    before.ok_or_else(|| Problem::no_such("edit", edit))
}

/// The form with `fields`, or with what the row said before an edit.
async fn show(
    site: &Site,
    caller: &Caller,
    frame: &Frame,
    fields: Fields,
    from: Option<EditId>,
) -> Response {
    let Some(edit) = from else { return page(&EditPage::of(site, frame, &fields)) };
    match before(site, caller, edit).await {
        Ok(row) => {
            let notice = Some((frame.t().restored_from, false));
            let fields = fields.filled(&row);
            page(&EditPage { notice, ..EditPage::of(site, frame, &fields) })
        }
        Err(problem) => frame.problem(&problem),
    }
}

/// The form of a new row, as a row was that is gone, if one is named.
pub(super) async fn new(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Query(filled): Query<Filled>,
) -> Response {
    let fields = Fields {
        trigger: "cron".to_owned(),
        extra: "{}".to_owned(),
        is_valid: "1".to_owned(),
        ..Fields::default()
    };
    show(&site, &caller, &frame, fields, filled.from).await
}

/// The form of a row that is there, as it was before an edit, if one is named.
pub(super) async fn edit(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Path(id): Path<TaskId>,
    Query(filled): Query<Filled>,
) -> Response {
    let fields = match seen(&site, &caller, id).await {
        Ok(judged) => Fields::of(&judged.row),
        Err(problem) => return frame.problem(&problem),
    };
    show(&site, &caller, &frame, fields, filled.from).await
}

#[derive(Template)]
#[template(path = "review.html")]
struct ReviewPage<'a> {
    frame: &'a Frame,
    fields: &'a Fields,
    /// Name of the field, what stands there, and what will.
    changes: Vec<(&'static str, String, String)>,
    /// When it fires then, and in which zone.
    instants: Vec<InstantView>,
    zone: String,
    /// What would be accepted, and was probably meant otherwise.
    doubts: Vec<String>,
}

/// How many instants a review shows.
const INSTANTS: usize = 10;

/// As the form names a column.
fn named(frame: &Frame, column: &'static str) -> &'static str {
    let t = frame.t();
    match column {
        "task_key" => t.key,
        "desc" => t.description,
        "execute_func" => t.job,
        "trigger" => t.trigger,
        "spec" => t.spec,
        "args" => t.args,
        "extra" => t.extra,
        "is_valid" => t.enabled,
        other => other,
    }
}

/// As people read the text of a column.
fn shown(frame: &Frame, column: &str, text: String) -> String {
    match (column, text.as_str()) {
        ("is_valid", "1") => frame.t().yes.to_owned(),
        ("is_valid", "0") => frame.t().no.to_owned(),
        _ => text,
    }
}

/// By which fields two forms differ, with the texts of both; of no row nothing stands there.
fn differing<'a>(
    frame: &'a Frame,
    before: &Fields,
    after: &Fields,
) -> impl Iterator<Item = (&'static str, String, String)> + use<'a> {
    let is_new = after.id.is_none();
    let columns = before.columns().into_iter().zip(after.columns());
    let columns = columns.map(move |((column, old), (_, new))| {
        (column, if is_new { String::new() } else { old }, new)
    });
    let differing = columns.filter(|(_, old, new)| old != new);
    differing.map(|(column, old, new)| {
        (named(frame, column), shown(frame, column, old), shown(frame, column, new))
    })
}

/// What would change.
pub(super) async fn review(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Form(fields): Form<Fields>,
) -> Response {
    let fields = fields.as_sent();
    let before = match check(&site, &caller, &fields).await {
        Ok(before) => before,
        Err(problem) => return refused(&site, &caller, &frame, &fields, &problem).await,
    };
    let changes = differing(&frame, &before, &fields).collect();
    let row = fields.as_new().as_row(fields.id.unwrap_or_default(), frame.now.trunc_subsecs(0));
    let timing = coming_of(&site.config, &site.registry, &row, frame.now, INSTANTS);
    let (instants, zone) =
        timing.map(|timing| (timing.instants, timing.zone.name().to_owned())).unwrap_or_default();
    let doubts = doubtful_keys(&row.extra);
    let doubts = doubts.iter().map(|doubt| frame.said(&doubt.to_string()).into_owned()).collect();
    page(&ReviewPage { frame: &frame, fields: &fields, changes, instants, zone, doubts })
}

/// Writes the row, or shows the form again with what is wrong.
pub(super) async fn save(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Form(fields): Form<Fields>,
) -> Response {
    let fields = fields.as_sent();
    if !fields.back.is_empty() {
        return page(&EditPage::of(&site, &frame, &fields));
    }
    match write(&site, &caller, &fields).await {
        Ok(id) => led_to(&format!("/tasks/{id}"), "save"),
        Err(problem) => refused(&site, &caller, &frame, &fields, &problem).await,
    }
}

/// What the form would have held of the row as it stands, if what it holds now would be written.
async fn check(site: &Site, caller: &Caller, fields: &Fields) -> Result<Fields, Problem> {
    check_key(caller, &fields.task_key)?;
    check_is_free(site, fields).await?;
    let editor = site.editor(caller).await?;
    let Some(id) = fields.id else {
        editor.check_new(&fields.as_new())?;
        return Ok(Fields::default());
    };
    let row = seen(site, caller, id).await?.row;
    let version = Version::named(&fields.version);
    let stands = editor.check_change(id, Some(&version), &fields.as_change(&row)).await?;
    Ok(Fields::of(&stands.row).as_sent())
}

/// Refuses a key that another row has. One that is taken in between is refused as it is saved.
async fn check_is_free(site: &Site, fields: &Fields) -> Result<(), Problem> {
    let key = &fields.task_key;
    let Some(id) = board(site).await?.row_of_key(key).map(|row| row.id) else { return Ok(()) };
    // The board is some seconds old.
    let stands = site.store().await?.tasks(TaskSelection::Id(id)).await?;
    let has_it = stands.first().is_some_and(|task| task.row.task_key.as_ref() == Ok(key));
    if has_it && fields.id != Some(id) {
        return Err(StoreError::KeyTaken { key: key.clone() }.into());
    }
    Ok(())
}

async fn write(site: &Site, caller: &Caller, fields: &Fields) -> Result<TaskId, Problem> {
    check_key(caller, &fields.task_key)?;
    let editor = site.editor(caller).await?;
    let written = match fields.id {
        None => editor.create(&fields.as_new()).await?,
        Some(id) => {
            let before = seen(site, caller, id).await?;
            let change = fields.as_change(&before.row);
            editor.change(id, Some(&Version::named(&fields.version)), &change).await?.1
        }
    };
    site.edited();
    Ok(written.row.id)
}

async fn refused(
    site: &Site,
    caller: &Caller,
    frame: &Frame,
    fields: &Fields,
    problem: &Problem,
) -> Response {
    let status = problem.status();
    let mut answer = match (problem.field(), fields.id) {
        (Some(field), _) => {
            let detail = frame.said(problem.detail());
            let error = Some((field, &*detail));
            let notice = Some((frame.t().needs_correction, true));
            page(&EditPage { error, notice, ..EditPage::of(site, frame, fields) })
        }
        // Somebody else was faster: his row is shown, and nothing of it is overwritten.
        (None, Some(id)) if status == StatusCode::PRECONDITION_FAILED => {
            match seen(site, caller, id).await {
                Ok(judged) => {
                    let stands = Fields::of(&judged.row).as_sent();
                    let yours = differing(frame, &stands, fields);
                    let yours = yours.map(|(name, _, text)| (name, text)).collect();
                    let notice = Some((frame.t().edited_meanwhile, true));
                    page(&EditPage { notice, yours, ..EditPage::of(site, frame, &stands) })
                }
                Err(problem) => return frame.problem(&problem),
            }
        }
        _ => return frame.problem(problem),
    };
    *answer.status_mut() = status;
    answer
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::plan::task::FieldFault;

    #[test]
    fn what_is_not_touched_stays_as_it_is_written() {
        let row = NewTask::new("a", "f", "cron", "* * * * *").as_row(1, DateTime::UNIX_EPOCH);
        let odd = TaskRow {
            description: Err(FieldFault::NotUtf8),
            task_key: Ok("two\nlines".to_owned()),
            args: Ok("1\r\n2\r3\0".to_owned()),
            extra: Ok(String::new()),
            is_valid: Ok("7".to_owned()),
            ..row
        };
        let sent = Fields::of(&odd).as_sent();
        assert_eq!(sent.as_change(&odd), TaskChange::default());
        let spec = Fields { spec: "5 * * * *".to_owned(), ..sent.clone() };
        assert_eq!(spec.as_change(&odd), TaskChange::spec("5 * * * *"));
        let emptied = Fields { args: String::new(), extra: " ".to_owned(), ..sent };
        let change = TaskChange {
            args: Some(String::new()),
            extra: Some("{}".to_owned()),
            ..TaskChange::default()
        };
        assert_eq!(emptied.as_change(&odd), change);
    }
}
