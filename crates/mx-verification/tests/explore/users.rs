//! What people do.

use std::rc::Rc;

use crate::device::{Act, FlowView, Input};
use crate::world::{Move, Search, State};

impl Search<'_> {
    /// What the user of a device does in each flow that they see; comparing honestly.
    pub(crate) fn acts(&self, state: &State, index: usize, must: &mut Vec<Move>, may: &mut Vec<Move>) {
        let allowed = self.scenario.may[index];
        for (place, view) in self.node(state, index).seen.0.iter().enumerate() {
            if view.end.is_some() {
                continue;
            }
            let mut act = |act| must.push(Move::Input(index, Input::On(place, act)));
            if view.is_offered && !view.has_done("accept") {
                act(Act::Accept);
            }
            if view.is_ready || view.has_done("accept") {
                if allowed.start && !view.has_done("start") {
                    act(Act::StartSas);
                }
                if allowed.show && !view.has_done("show") {
                    act(Act::ShowQr);
                }
                if allowed.scan && !view.has_done("scan") {
                    for (_, code) in self
                        .others(state, index, view)
                        .filter_map(|view| view.code.as_ref().map(|code| (view, code)))
                    {
                        act(Act::Scan(Rc::clone(code)));
                    }
                }
            }
            if !view.has_done("confirm") && !view.has_done("mismatch") {
                if let Some(ours) = &view.short_string {
                    for theirs in
                        self.others(state, index, view).filter_map(|view| view.short_string.as_ref())
                    {
                        act(if theirs.matches(ours) { Act::Confirm } else { Act::Mismatch });
                    }
                    if allowed.err {
                        may.push(Move::Input(index, Input::On(place, Act::Mismatch)));
                    }
                }
                if view.is_asked && self.others(state, index, view).any(|view| view.scanned_well) {
                    act(Act::Confirm);
                }
            }
            if allowed.cancel && !view.has_done("cancel") {
                may.push(Move::Input(index, Input::On(place, Act::Cancel)));
            }
        }
    }

    /// What the other users see of the same flow, now or before it ended.
    pub(crate) fn others<'n>(
        &'n self,
        state: &State,
        index: usize,
        view: &'n FlowView,
    ) -> impl Iterator<Item = &'n FlowView> {
        let others: Vec<_> = (0..state.nodes.len()).filter(|other| *other != index).collect();
        let others: Vec<_> = others.into_iter().map(|other| self.node(state, other)).collect();
        others.into_iter().flat_map(|node| &node.seen.0).filter(|other| other.flow.id == view.flow.id)
    }
}
