//! Who may do what.
use std::str::FromStr;

use crate::value::words;

words! {
    /// What the holder of a token may do.
    pub enum Role {
        /// Sees drafts.
        Viewer,
        /// Also writes drafts and suggests changes.
        Editor,
        /// Also publishes, withdraws and corrects.
        Publisher,
        /// Sees and keeps participants, and what a viewer sees.
        Registrar,
        /// May do everything, and manages tokens and webhooks.
        Admin,
    }
}

/// Something that not everybody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// To see what is not public.
    See,
    /// To write drafts and suggest changes.
    Write,
    /// To publish, withdraw and correct.
    Publish,
    /// To see and keep participants.
    KeepParticipants,
    /// To manage tokens and webhooks.
    Manage,
}

impl Deed {
    /// Every deed.
    pub const ALL: [Self; 5] =
        [Self::See, Self::Write, Self::Publish, Self::KeepParticipants, Self::Manage];
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] =
        [Self::Viewer, Self::Editor, Self::Publisher, Self::Registrar, Self::Admin];

    /// Whether its holder may do that.
    #[must_use]
    pub fn may(self, deed: Deed) -> bool {
        match deed {
            Deed::See => true,
            Deed::Write => matches!(self, Self::Editor | Self::Publisher | Self::Admin),
            Deed::Publish => matches!(self, Self::Publisher | Self::Admin),
            Deed::KeepParticipants => matches!(self, Self::Registrar | Self::Admin),
            Deed::Manage => matches!(self, Self::Admin),
        }
    }

    /// Whether its holder may do all that the other's may.
    #[must_use]
    pub fn includes(self, other: Self) -> bool {
        Deed::ALL.into_iter().all(|deed| self.may(deed) || !other.may(deed))
    }

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Publisher => "publisher",
            Self::Registrar => "registrar",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|role| role.name() == name);
        known.ok_or_else(|| format!("no role is called {name}"))
    }
}

impl Deed {
    /// Whether it can be done within the limits of some projects.
    ///
    /// Tokens and webhooks belong to none: who made them could leave every limit.
    #[must_use]
    pub fn fits_into_projects(self) -> bool {
        self != Self::Manage
    }

    /// What it takes to do it, in words.
    #[must_use]
    pub fn needs(self) -> String {
        let names = Role::ALL.into_iter().filter(|role| role.may(self)).map(Role::name);
        let names: Vec<_> = names.collect();
        let limit = if self.fits_into_projects() { "" } else { ", without a limit to projects" };
        match names.split_last() {
            Some((last, [])) => format!("the role {last}{limit}"),
            Some((last, others)) if names.len() < Role::ALL.len() => {
                format!("the role {} or {last}{limit}", others.join(", "))
            }
            _ => format!("a token of any role{limit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_role_is_called_the_same_everywhere() {
        for role in Role::ALL {
            assert_eq!(json!(role), role.name());
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert!("king".parse::<Role>().is_err());
    }

    #[test]
    fn it_is_told_who_may_do_what() {
        let told = [Deed::See, Deed::Write, Deed::Publish, Deed::KeepParticipants, Deed::Manage];
        assert_eq!(
            told.map(Deed::needs),
            [
                "a token of any role",
                "the role editor, publisher or admin",
                "the role publisher or admin",
                "the role registrar or admin",
                "the role admin, without a limit to projects",
            ]
        );
    }
}
