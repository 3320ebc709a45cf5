//! What happens in a verification, and what this side does then.

use std::time::Instant;

use mx_verification::{Cancelled, Event, FlowKey, Methods, Reason, Step, What};

use super::{
    code::{Code, Picture},
    end::End,
    questions::Question,
    talk::{Plan, Talk},
};
use crate::{failure::Failure, record::Record};

impl Talk<'_, '_> {
    pub(super) fn happened(&mut self, event: Event) -> Result<Option<Step>, Failure> {
        let Event { flow, what } = event;
        match what {
            What::Requested { device_id, methods } => return self.requested(flow, &device_id, methods),
            What::StartedWithoutRequest { device_id } => {
                return self.requested(flow, &device_id, Methods { sas: true, ..Methods::default() });
            }
            _ if self.now.flow.as_ref() != Some(&flow) => return Ok(None),
            _ => {}
        }
        match what {
            What::Ready { device_id, methods, vouches_for_own_user } => {
                return self.ready(&flow, &device_id, methods, vouches_for_own_user);
            }
            What::SasStarted => {
                self.now.picture = None;
                self.tell("started", "comparing emoji", Record::new())?;
            }
            What::ShortString { decimal, emoji } => {
                self.said.short_string(decimal, emoji)?;
                self.question(Question::Same { decimal })?;
            }
            What::CodeScanned => self.question(Question::Scanned)?,
            What::CodeAccepted => {
                self.tell("code_accepted", "the code is right; say so on the other device", Record::new())?
            }
            What::Verified(verified) => {
                self.now.question = None;
                self.now.verified = Some((verified, Instant::now()));
            }
            What::Done => self.finish(true),
            What::PeerDidNotConfirm => self.finish(false),
            What::Cancelled(Cancelled::ByUs(Reason::CrossingRequest)) => {
                self.now.flow = None;
                if let Some(flow) = self.now.offered.take() {
                    return self.accept(flow).map(Some);
                }
            }
            What::Cancelled(cancelled) => self.now.end = Some(End::of_cancelled(&cancelled)),
            What::Dismissed => self.now.end = Some(End::not("nobody answered the request in time")),
            What::Elsewhere => self.now.end = Some(End::not("another device goes on with it")),
            _ => {}
        }
        Ok(None)
    }

    fn requested(
        &mut self,
        flow: FlowKey,
        device_id: &str,
        methods: Methods,
    ) -> Result<Option<Step>, Failure> {
        let record = Record::new().with("device_id", device_id);
        if self.plan.waits
            && !self.plan.devices.is_empty()
            && !self.plan.devices.iter().any(|id| id == device_id)
        {
            self.tell("ignored", &format!("device {device_id} asks, and is none of those named"), record)?;
            return Ok(None);
        }
        if self.now.flow.is_some() {
            self.now.offered = Some(flow);
            return Ok(None);
        }
        self.tell("requested", &format!("{} asks, with device {device_id}", self.plan.peer), record)?;
        if methods.is_empty() {
            self.tell("no_method", "there is no way of verifying that both have", Record::new())?;
            self.now.flow = Some(flow.clone());
            return self.acted(|verifications, time, _| verifications.cancel(time, &flow)).map(Some);
        }
        self.accept(flow).map(Some)
    }

    fn accept(&mut self, flow: FlowKey) -> Result<Step, Failure> {
        self.now.is_ours = false;
        self.now.flow = Some(flow.clone());
        self.acted(|verifications, time, book| {
            verifications.accept(&mut getrandom::SysRng, time, book, &flow)
        })
    }

    fn ready(
        &mut self,
        flow: &FlowKey,
        device_id: &str,
        methods: Methods,
        vouches: bool,
    ) -> Result<Option<Step>, Failure> {
        let Plan { peer, own, .. } = &self.plan;
        let text = format!("verifying with device {device_id} of {peer}");
        let is_own = peer == own;
        self.tell("ready", &text, Record::new().with("device_id", device_id).with("vouches", vouches))?;
        if !vouches && !is_own {
            self.tell(
                "device_only",
                "the other side can verify this device only, not you: say which master signing key is yours, with \
                 --own USER=KEY or --sign",
                Record::new(),
            )?;
        }
        let book = &*self.book;
        match &self.plan.code {
            Code::Show(place) if methods.show_qr => {
                let code = self.verifications.show_qr(&mut getrandom::SysRng, book, flow);
                place.show(&code.map_err(Failure::refused)?, self.said)?;
                return Ok(None);
            }
            Code::Scan(path) if methods.scan_qr => {
                let text = format!("waiting for a picture of the code on the other device: {}", path.display());
                self.now.picture = Some(Picture::new(path.clone()));
                self.tell("waiting_for_picture", &text, Record::new())?;
                return Ok(None);
            }
            Code::No => {}
            _ => self.tell(
                "no_code",
                "a code cannot be used: the other device cannot, or a master signing key is not known to be yours, or \
                 is missing",
                Record::new(),
            )?,
        }
        if !methods.sas {
            return self.acted(|verifications, time, _| verifications.cancel(time, flow)).map(Some);
        }
        // Who has asked begins. Both may, but then one has begun in vain.
        if !self.now.is_ours {
            return Ok(None);
        }
        self.acted(|verifications, time, _| verifications.start_sas(&mut getrandom::SysRng, time, flow))
            .map(Some)
    }
}
