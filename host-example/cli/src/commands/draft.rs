//! `hydrant draft`: the placeholder of a session that is still recorded.

use clap::Args;
use hydrant_host::contract::error::Fault;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::draft::DraftOptions;
use hydrant_host::text::quote;

use crate::ending::Ending;
use crate::output::Output;

pub(crate) const HELP: &str = "\
Examples:
  hydrant draft 2026-05-04T09-30-mina --turns 3 --entries 41
  hydrant publish 2026-05-04T09-30-mina --from DIR    when it is over

The placeholder is a manifest alone. It says who records and how much, never
what was said. Run it again to refresh the counts; they never go back. A session
that is published, or whose transcript is there, is refused.";

/// What a placeholder says.
#[derive(Args, Debug, Default)]
pub(crate) struct DraftArgs {
    /// Name of the session's folder
    #[arg(value_name = "SESSION")]
    pub(crate) session: String,
    /// Turns so far
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) turns: u64,
    /// Entries of the transcript so far
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) entries: u64,
    /// `ses_` and a UUID that the recorder made [default: a new one]
    #[arg(long, value_name = "ID")]
    pub(crate) session_id: Option<String>,
    /// Id of the session that this one goes on with
    #[arg(long, value_name = "ID")]
    pub(crate) continues: Option<String>,
    /// Display name of who records it, never an address
    #[arg(long, value_name = "NAME")]
    pub(crate) username: Option<String>,
    /// Who records it
    #[arg(long, value_name = "ID")]
    pub(crate) user_id: Option<String>,
    /// Repository that the session belongs to
    #[arg(long, value_name = "ID")]
    pub(crate) repo_id: Option<String>,
    /// Agent
    #[arg(long, value_name = "ID")]
    pub(crate) agent_id: Option<String>,
    /// Kind of agent, such as `claude-code`
    #[arg(long, value_name = "NAME")]
    pub(crate) agent_type: Option<String>,
    /// Model
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl DraftArgs {
    fn options(&self) -> DraftOptions {
        DraftOptions {
            session: self.session.clone(),
            turns: self.turns,
            entries: self.entries,
            session_id: self.session_id.clone(),
            continues: self.continues.clone(),
            username: self.username.clone(),
            user_id: self.user_id.clone(),
            repo_id: self.repo_id.clone(),
            agent_id: self.agent_id.clone(),
            agent_type: self.agent_type.clone(),
            model: self.model.clone(),
            dry_run: self.dry_run,
        }
    }
}

pub(crate) fn run(arguments: &DraftArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let repository = super::repository()?;
    let report = client.draft(&repository, &arguments.options())?;
    output.report(true, &report);
    let verb = if report.dry_run { "would be written" } else { "written" };
    output.line(format!("{}: placeholder {verb}, {}", quote(report.session.as_bytes()), report.session_id));
    output.note("commit it to let others see that it is recorded; publish it when the recording is over");
    Ok(Ending::Done)
}
