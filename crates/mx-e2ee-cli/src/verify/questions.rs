//! What the user is asked, and what is to be looked at.

use mx_verification::ActError;

use super::{answers::Answer, talk::Talk};
use crate::{failure::Failure, record::Record};

#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    /// Whether both devices show the same.
    Same { decimal: Option<[u16; 3]> },
    /// Whether the other device says that the code was right.
    Scanned,
}

impl Talk<'_, '_> {
    pub(super) fn question(&mut self, question: Question) -> Result<(), Failure> {
        let (event, text) = match question {
            Question::Same { .. } if self.answers.are_typed() => (
                "compare",
                "Is it the same there, in the same order? Type yes or no, or the three numbers that the other device shows.",
            ),
            Question::Same { .. } => {
                ("compare", "Give the three numbers that the other device shows, or no.")
            }
            Question::Scanned => (
                "scanned",
                "Your code was scanned. Does the other device say that it was right? Type yes or no.",
            ),
        };
        self.now.question = Some(question);
        self.answers.begin();
        self.tell(event, text, Record::new())
    }

    pub(super) fn answered(&mut self, answer: &Answer) -> Result<(), Failure> {
        let (Some(question), Some(flow)) = (self.now.question, self.now.flow.clone()) else { return Ok(()) };
        let is_same = match (question, answer) {
            (Question::Same { .. }, Answer::Yes) => self.answers.are_typed().then_some(true),
            (Question::Scanned, Answer::Yes) => Some(true),
            (_, Answer::No) => Some(false),
            (Question::Same { decimal: Some(decimal) }, Answer::Numbers(numbers)) => {
                Some(*numbers == decimal)
            }
            (_, Answer::End) => {
                self.now.question = None;
                self.tell("no_answer", "nobody is there to answer", Record::new())?;
                let step = self.acted(|verifications, time, _| verifications.cancel(time, &flow))?;
                return self.carry_out(step);
            }
            _ => None,
        };
        let Some(is_same) = is_same else { return self.question(question) };
        self.now.question = None;
        self.refresh()?;
        if self.now.end.is_some() {
            return Ok(());
        }
        let step = match (is_same, question) {
            (true, _) => self.acted(|verifications, time, book| verifications.confirm(time, book, &flow))?,
            (false, Question::Same { .. }) => {
                self.acted(|verifications, time, _| verifications.mismatch(time, &flow))?
            }
            (false, Question::Scanned) => {
                self.acted(|verifications, time, _| verifications.cancel(time, &flow))?
            }
        };
        if is_same && self.now.end.is_none() {
            self.tell("confirmed", "waiting for the other side", Record::new())?;
        }
        self.carry_out(step)
    }

    /// Looks whether there is a picture to scan.
    pub(super) fn look(&mut self) -> Result<(), Failure> {
        let (Some(picture), Some(flow)) = (&mut self.now.picture, self.now.flow.clone()) else {
            return Ok(());
        };
        let code = match picture.look() {
            None => return Ok(()),
            Some(Err(why)) => return self.tell("not_read", &why, Record::new()),
            Some(Ok(code)) => code,
        };
        self.refresh()?;
        match self.verifications.scan(self.clock.time(), &*self.book, &flow, &code) {
            Ok(step) => {
                self.now.picture = None;
                self.carry_out(step)
            }
            Err(error @ (ActError::Code(_) | ActError::Scan(_))) => {
                let text = format!("that is not the code for this verification: {error}");
                self.tell("not_read", &text, Record::new())
            }
            Err(error) => Err(Failure::refused(error)),
        }
    }
}
