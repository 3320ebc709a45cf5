/// Where a verification stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FlowState {
    /// The other side has asked.
    Requested,
    /// We have asked.
    Sent,
    /// Both are ready.
    Ready,
    /// Both are ready, and a code is displayed.
    QrShown,
    /// A method was started.
    Started(Phase),
    /// Our side has verified, and waits for the other to say that it has, too.
    WaitDone,
    /// Verified, and over.
    Done,
    /// Over, and nothing was verified.
    Cancelled,
    /// Another device goes on with it, or it is not offered any more.
    Passive,
}

/// Where a method stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Phase {
    /// SAS: we have started.
    StartSent,
    /// SAS: we have started, the other side has accepted, and our key is sent.
    KeySent,
    /// SAS: the other side has started without a request.
    StartReceived,
    /// SAS: the other side has started, and we have accepted.
    AcceptSent,
    /// SAS: the users compare.
    Compare,
    /// SAS: the users compare, and the other one has confirmed.
    PeerConfirmed,
    /// SAS: our user has confirmed, the other one has not.
    MacSent,
    /// QR: our code was scanned, and our user is asked.
    Scanned,
    /// QR: we have scanned, and the other user is asked.
    Reciprocated,
}
