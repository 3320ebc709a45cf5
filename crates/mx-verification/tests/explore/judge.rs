//! What two devices must have come to in the end.

use crate::device::{End, FlowView};
use crate::world::Outcome;

/// Both verified or both not; where something was lost or put in, or time ran out, what cannot be helped (requirement VER-95).
/// `keys` are those that each of the two may verify.
pub(crate) fn agreement(outcome: &Outcome<'_>, keys: [&[&str]; 2]) -> Result<(), String> {
    let [first, second] = [0, 1].map(|index: usize| &outcome.nodes[index].seen.0);
    let ids = first.iter().chain(second).map(|view| &view.flow.id);
    for id in ids {
        let views = [first, second].map(|views| views.iter().find(|view| view.flow.id == *id));
        for (view, keys) in views.iter().zip(keys) {
            let verified = view.and_then(|view| view.verified.as_deref());
            if let Some(verified) = verified.filter(|verified| !keys.contains(verified)) {
                return Err(format!("the wrong keys were verified: {verified}"));
            }
        }
        let verified = views.map(|view| view.is_some_and(|view| view.verified.is_some()));
        if verified[0] != verified[1] {
            if !(outcome.dropped || outcome.forged || outcome.impatient) {
                return Err("one side has verified, and the other has not".into());
            }
            // Whoever has verified alone does not believe that the other has, unless it was told so.
            let is_done = |view: &Option<&FlowView>| view.is_some_and(|view| view.end == Some(End::Done));
            if views.iter().any(is_done) && !outcome.forged {
                return Err("one side believes that both are done".into());
            }
        }
        // What an honest network can do is no attack.
        if !outcome.forged {
            for view in views.iter().flatten() {
                if let Some(End::ByUs(code) | End::ByThem(code)) = &view.end
                    && !["m.user", "m.timeout", "m.unexpected_message", "m.accepted"].contains(&code.as_str())
                {
                    return Err(format!("{code}, though nobody has attacked"));
                }
            }
        }
    }
    Ok(())
}
