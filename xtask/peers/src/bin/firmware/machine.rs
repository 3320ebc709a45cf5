//! One machine of QEMU that runs: frames in and out, and its end, which comes at any time.

use std::{
    io::{BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use mx_demo::party::Refusal;

/// How QEMU plays it.
pub(crate) struct Machine {
    pub(crate) name: &'static str,
    program: &'static str,
    args: &'static [&'static str],
}

pub(crate) const MACHINES: &[Machine] = &[
    Machine { name: "mps2-an386", program: "qemu-system-arm", args: &[] },
    Machine { name: "microbit", program: "qemu-system-arm", args: &[] },
    Machine { name: "virt", program: "qemu-system-riscv32", args: &["-bios", "none"] },
];

/// A machine with its power on.
pub(crate) struct Running {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Machine {
    pub(crate) fn start(&self, image: &str) -> Result<Running, Refusal> {
        let mut command = Command::new(self.program);
        command.args(["-M", self.name, "-kernel", image, "-display", "none", "-monitor", "none"]);
        command.args(["-serial", "none", "-semihosting-config", "enable=on,target=native"]).args(self.args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let start = |error| Refusal(format!("{} does not start: {error}", self.program));
        let mut process = command.spawn().map_err(start)?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Refusal("the machine has no wires".to_owned()));
        };
        Ok(Running { process, input, output: BufReader::new(output) })
    }
}

impl Running {
    pub(crate) fn send(&mut self, frame: &[u8]) -> Result<(), Refusal> {
        let len = u16::try_from(frame.len()).map_err(Refusal::from_error)?;
        let bytes = [&len.to_le_bytes()[..], frame].concat();
        self.input.write_all(&bytes).and_then(|()| self.input.flush()).map_err(Refusal::from_error)
    }

    pub(crate) fn receive(&mut self) -> Result<Vec<u8>, Refusal> {
        let ended = |_| Refusal("the firmware has ended".to_owned());
        let mut len = [0; 2];
        self.output.read_exact(&mut len).map_err(ended)?;
        let mut frame = vec![0; u16::from_le_bytes(len).into()];
        self.output.read_exact(&mut frame).map_err(ended)?;
        Ok(frame)
    }
}

/// The power fails.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
