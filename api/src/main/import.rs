//! `capacity-hub import`: takes in a file, and tells what came of it.
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use api::{Counts, Ended, ImportChange, ImportFault, ImportFormat, Order, Prepared, Report};
use clap::builder::PossibleValuesParser;
use encoding_rs::Encoding;
use indicatif::{ProgressBar, ProgressStyle};
use persistence::{Author, ImportState, Progress, Store};
use serde_json::Value;

use super::{Failure, say};

type Mapping = BTreeMap<String, Option<String>>;

/// How a file is to be taken in.
#[derive(clap::Args)]
pub(crate) struct Import {
    /// The file: a bundle as JSON, or a table as CSV or XLSX.
    file: PathBuf,
    /// The collection that the rows of a table belong to.
    #[arg(long, value_parser = PossibleValuesParser::new(domain::collections().to_vec()))]
    resource: Option<String>,
    /// Only tell what would be created, changed and left.
    #[arg(long)]
    dry_run: bool,
    /// Take the good rows of a table without the bad.
    #[arg(long)]
    partial: bool,
    /// Let new records be drafts; they are public otherwise.
    #[arg(long)]
    draft: bool,
    /// The encoding of a CSV, as in windows-1251; without it the file tells it.
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    encoding: Option<&'static Encoding>,
    /// The sheet of a workbook; without it the first.
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// Which field a header stands for, as JSON; null leaves the column out: '{"Дата": "ends_on"}'.
    #[arg(long, value_parser = mapping)]
    mapping: Option<Mapping>,
    /// Where to write the rows that were refused, with the reasons.
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Whose names the external ids are.
    #[arg(long, value_name = "NAME", default_value = "import")]
    system: String,
}

fn mapping(text: &str) -> Result<Mapping, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn encoding(name: &str) -> Result<&'static Encoding, String> {
    let known = Encoding::for_label_no_replacement(name.as_bytes());
    known.ok_or_else(|| "no encoding has that name".to_owned())
}

impl Import {
    pub(crate) async fn run(self, store: &Store) -> Result<ExitCode, Failure> {
        let Self { file: path, resource, dry_run, partial, draft, .. } = self;
        let Self { encoding, sheet, mapping, faults, system, .. } = self;
        let unreadable = |error: io::Error| format!("{} cannot be read: {error}", path.display());
        let mut file = File::open(&path).map_err(unreadable)?;
        let format = ImportFormat::of(&mut file).map_err(unreadable)?;
        let mapping = mapping.unwrap_or_default();
        let publish = !draft;
        // Of a bundle all is taken or nothing.
        let whole = dry_run || matches!(format, ImportFormat::Json);
        let order = Order { resource, dry_run, partial, publish, encoding, sheet, mapping, system };
        let prepared = match Prepared::of(order, format, file) {
            Ok(prepared) => prepared,
            Err(problem) => {
                eprintln!("error: nothing was taken from {}: {problem}", path.display());
                for fault in problem.errors() {
                    eprintln!("  {fault}");
                }
                return Ok(ExitCode::FAILURE);
            }
        };
        let by = Author::program("capacity-hub import");
        let bar = bar(prepared.total(), dry_run);
        let ended = prepared
            .run(store, &by, |Progress { checked, written, .. }| {
                bar.set_position(u64::try_from(checked + written).unwrap_or_default());
                true
            })
            .await;
        bar.finish_and_clear();
        tell(ended, faults.as_deref(), dry_run, whole)
    }
}

/// Shows how far it is, where somebody watches: rows are first checked and then written.
fn bar(total: u64, dry_run: bool) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {eta} left");
    let bar = ProgressBar::new(if dry_run { total } else { total * 2 });
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Tells what came of it; it failed when something was refused.
fn tell(
    ended: Ended,
    faults: Option<&Path>,
    dry_run: bool,
    whole: bool,
) -> Result<ExitCode, Failure> {
    let Ended { state, code, report, faults: rows } = ended;
    if report.columns().next().is_some() {
        say("The columns:")?;
        for (header, field) in report.columns() {
            say(format_args!("  {header}: {}", field.unwrap_or("not read")))?;
        }
    }
    if dry_run {
        report.changes.iter().try_for_each(tell_change)?;
    }
    let outcome = match (state, dry_run) {
        (ImportState::Failed, _) => "Broke off",
        (ImportState::Refused, false) => "Took nothing",
        (_, true) => "Would take",
        _ => "Took",
    };
    say(format_args!("{outcome}: {}.", counted(&report)))?;
    report.faults.iter().for_each(tell_fault);
    let told = report.faults.len() as u64;
    if report.faults_total > told {
        eprintln!("  and {} more", report.faults_total - told);
    }
    if let (Some(to), Some(mut rows)) = (faults, rows) {
        let mut write = || io::copy(&mut rows, &mut File::create(to)?);
        write().map_err(|error| format!("{} cannot be written: {error}", to.display()))?;
        say(format_args!("The rows that were refused are in {}.", to.display()))?;
    }
    if let Some(code) = code {
        let kept = if whole { "nothing was taken" } else { "what was taken until then stays" };
        return Err(format!("the import broke off: {code}; {kept}").into());
    }
    let good = report.counts.refused == 0 && state == ImportState::Done;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn counted(report: &Report) -> String {
    let Counts { created, changed, left, proposed, refused } = report.counts;
    let kinds = [
        (created, "created"),
        (changed, "changed"),
        (left, "left as they are"),
        (proposed, "proposed"),
        (refused, "refused"),
    ];
    let told = kinds.into_iter().filter(|(count, _)| *count > 0);
    let told: Vec<_> = told.map(|(count, kind)| format!("{count} {kind}")).collect();
    if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
}

fn tell_change(change: &ImportChange) -> Result<(), Failure> {
    let at = match change.row {
        Some(row) => format!("row {row}"),
        None => change.pointer.clone().unwrap_or_default(),
    };
    let name = change.slug.clone().or_else(|| change.id.map(|id| id.to_string()));
    say(format_args!("  {at}: {} {}", change.action, name.unwrap_or_default()))?;
    for difference in &change.differences {
        let told = |value: &Option<Value>| match value {
            Some(value) => value.to_string(),
            None => "nothing".to_owned(),
        };
        let (before, after) = (told(&difference.before), told(&difference.after));
        say(format_args!("    {}: {before} becomes {after}", difference.pointer))?;
    }
    Ok(())
}

fn tell_fault(fault: &ImportFault) {
    let place = match (fault.row, &fault.pointer) {
        (Some(row), _) => {
            let column = fault.column.as_deref().map(|column| format!(", column {column}"));
            let header = fault.header.as_deref().map(|header| format!(" ({header})"));
            format!("row {row}{}{}", column.unwrap_or_default(), header.unwrap_or_default())
        }
        (None, pointer) => pointer.clone().unwrap_or_default(),
    };
    let value = fault.value.as_deref().map(|value| format!(" \"{value}\"")).unwrap_or_default();
    // Who started the command may have stopped listening to it.
    let _ = writeln!(io::stderr(), "  {place}{value}: {} [{}]", fault.detail, fault.code);
}
