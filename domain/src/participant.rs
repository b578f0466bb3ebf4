use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use crate::{
    Checked, Citation, CountryCode, FullDate, Key, Kind, Line, NoDerived, OneOf, OrganisationRef,
    Resource, SeminarRef, StudyVisitRef, shape::broken_at, value::kind,
};

kind!(/// An e-mail address.
    Email, EmailKind, "aigul@example.org", "^[^\\s@\\x00-\\x20\\x7f]{1,64}@[^\\s@\\x00-\\x20\\x7f]{1,180}\\.[^\\s@.\\x00-\\x20\\x7f]{2,63}$",
    "no e-mail address", max 254);

impl Email {
    /// By which the entries of one person are found: case makes no difference.
    #[must_use]
    pub fn key(&self) -> String {
        self.as_str().to_lowercase()
    }
}

/// Somebody who took part in a seminar or a study visit; for registrars only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// The seminar that they took part in; either this or a study visit.
    pub seminar_id: Option<SeminarRef>,
    /// The study visit that they took part in; either this or a seminar.
    pub study_visit_id: Option<StudyVisitRef>,
    /// What they are called; only with their consent.
    pub name: Option<Line>,
    /// Where they are written to, and what they are known again by; only with their consent.
    pub email: Option<Email>,
    /// The organisation that they came from, if the registry has it.
    pub organisation_id: Option<OrganisationRef>,
    /// The organisation that they came from, in words; only with their consent.
    pub organisation_name: Option<Line>,
    /// The country that they came from.
    pub country: CountryCode,
    /// Their sex.
    pub sex: Option<Sex>,
    /// How high their post was.
    pub seniority: Option<Seniority>,
    /// The days that they were there, from 1, each once; null when that is not known.
    #[schema(max_items = 60)]
    pub days_attended: Option<Vec<AttendedDay>>,
    /// The certificate that they were given, if they were.
    pub certificate: Option<Certificate>,
    /// Whether they agreed to be named in the registry.
    pub consent: Consent,
    /// The last day that what identifies them is kept, at most ten years from now.
    pub retain_until: FullDate,
}

/// A day of a seminar or a study visit, the first being 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[schema(minimum = 1, maximum = 60, example = 1)]
pub struct AttendedDay(pub i64);

/// A certificate that somebody was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// What is printed on it to tell it from others; only with the consent of its holder.
    pub number: Option<Line>,
    /// The day that it was issued.
    pub issued_on: Option<FullDate>,
}

/// The sex of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Another.
    Other,
    /// They did not wish to say.
    Undisclosed,
}

/// How high the post of a civil servant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Seniority {
    /// Works under guidance.
    Junior,
    /// Works on their own.
    Middle,
    /// Leads others, or is the expert of a field.
    Senior,
    /// Heads an organisation, or stands next to who does.
    Executive,
}

/// Whether somebody agreed to be named in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// They agreed.
    Given,
    /// They did not, or took it back: they are counted without being named.
    NotGiven,
}

/// Narrows the list of participants.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ParticipantFilter {
    /// Of one of these seminars, by id or slug.
    pub seminar: OneOf<Key>,
    /// Of one of these study visits, by id or slug.
    pub study_visit: OneOf<Key>,
    /// From one of these countries.
    pub country: OneOf<CountryCode>,
    /// From one of these organisations, by id or slug.
    pub organisation: OneOf<Key>,
    /// Whose sex is one of these.
    pub sex: OneOf<Sex>,
    /// Whose seniority is one of these.
    pub seniority: OneOf<Seniority>,
    /// Whose consent is one of these.
    pub consent: OneOf<Consent>,
    /// With one of these addresses, whole; case makes no difference.
    pub email: OneOf<Email>,
}

/// Orders participants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantSort {
    /// By when they were added.
    #[default]
    CreatedAt,
}

impl Participant {
    /// How many years what identifies somebody is kept at most.
    pub const MOST_YEARS: u32 = 10;
}

impl Validate for Participant {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut broken = ValidationErrors::new();
        let mut refuse = |pointer: &'static str, code: &'static str, detail: &'static str| {
            broken.add("__all__", broken_at(pointer, code, detail));
        };
        match (&self.seminar_id, &self.study_visit_id) {
            (None, None) => {
                refuse("", "no_activity", "It names neither a seminar nor a study visit.");
            }
            (Some(_), Some(_)) => {
                let detail = "It names a seminar and a study visit: a participant is of one.";
                refuse("/study_visit_id", "two_activities", detail);
            }
            _ => {}
        }
        if self.consent == Consent::NotGiven {
            let number = self.certificate.as_ref().is_some_and(|one| one.number.is_some());
            for (pointer, told) in [
                ("/name", self.name.is_some()),
                ("/email", self.email.is_some()),
                ("/organisation_name", self.organisation_name.is_some()),
                ("/certificate/number", number),
            ] {
                if told {
                    let detail = "Without their consent somebody is counted, and not named.";
                    refuse(pointer, "consent_needed", detail);
                }
            }
        }
        let days = self.days_attended.as_deref().unwrap_or_default();
        for (place, day) in days.iter().enumerate() {
            if days[..place].contains(day) {
                refuse("/days_attended", "day_twice", "A day comes twice.");
                break;
            }
        }
        if broken.is_empty() { Ok(()) } else { Err(broken) }
    }
}

impl Resource for Participant {
    const NAME: &'static str = "participant";
    const COLLECTION: &'static str = "participants";
    type Filter = ParticipantFilter;
    type SortKey = ParticipantSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        None
    }

    fn citations(&self) -> &[Citation] {
        &[]
    }
}

/// Whose data is to be taken away, wherever it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// The address of the person; case makes no difference.
    pub email: Email,
}

impl Resource for Erasure {
    const NAME: &'static str = "erasure";
    const COLLECTION: &'static str = "erasures";
    type Filter = ParticipantFilter;
    type SortKey = ParticipantSort;
    type Derived = NoDerived;

    fn slug(&self) -> Option<&str> {
        None
    }

    fn citations(&self) -> &[Citation] {
        &[]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{Refused, Shape};

    fn faults(change: &Value) -> Vec<(String, String)> {
        let mut body = json!({"seminar_id": "first-seminar-2021", "country": "KZ",
            "consent": "given", "retain_until": "2030-01-01"});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        match Shape::read::<Participant>(body) {
            Ok(_) => Vec::new(),
            Err(Refused::Form(broken) | Refused::Meaning(broken)) => {
                broken.into_iter().map(|one| (one.pointer, one.code)).collect()
            }
        }
    }

    fn one(pointer: &str, code: &str) -> Vec<(String, String)> {
        vec![(pointer.to_owned(), code.to_owned())]
    }

    #[test]
    fn who_is_named_has_agreed_to_it() {
        let named = json!({"name": "Aigul", "email": "a@example.org", "organisation_name": "Hub",
            "certificate": {"number": "7"}});
        assert_eq!(faults(&named), []);
        let mut unasked = named;
        unasked["consent"] = "not_given".into();
        let pointers = ["/name", "/email", "/organisation_name", "/certificate/number"];
        let expected: Vec<_> =
            pointers.iter().flat_map(|pointer| one(pointer, "consent_needed")).collect();
        assert_eq!(faults(&unasked), expected);
        let counted = json!({"consent": "not_given", "organisation_id": "undp",
            "certificate": {"issued_on": "2021-11-05"}});
        assert_eq!(faults(&counted), []);
    }

    #[test]
    fn a_participant_is_of_one_activity() {
        let both = json!({"study_visit_id": "to-korea"});
        assert_eq!(faults(&both), one("/study_visit_id", "two_activities"));
        assert_eq!(faults(&json!({"seminar_id": null})), one("", "no_activity"));
    }

    #[test]
    fn a_day_comes_once_and_lies_within_two_months() {
        assert_eq!(faults(&json!({"days_attended": [2, 1, 60]})), []);
        assert_eq!(faults(&json!({"days_attended": []})), []);
        assert_eq!(faults(&json!({"days_attended": [1, 1]})), one("/days_attended", "day_twice"));
        assert_eq!(faults(&json!({"days_attended": [0]})), one("/days_attended/0", "too_small"));
        assert_eq!(faults(&json!({"days_attended": [61]})), one("/days_attended/0", "too_large"));
    }

    #[test]
    fn an_address_has_a_host_and_a_key_without_case() {
        assert_eq!("Aigul@Example.ORG".parse::<Email>().unwrap().key(), "aigul@example.org");
        for wrong in ["aigul", "aigul@hub", "a b@example.org", "a@b@example.org", "@example.org"] {
            assert_eq!(faults(&json!({"email": wrong})), one("/email", "invalid_value"), "{wrong}");
        }
    }
}
