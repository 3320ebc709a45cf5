//! Help, manual and completions.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use support::{Folder, run};

#[test]
fn help_is_a_success_and_misuse_says_where_it_is() {
    let help = run(["--help"]).assert_code(0);
    for word in ["keys", "events", "media", "message", "Examples:", "Exit codes:", "--passphrase-fd"] {
        assert!(help.text().contains(word), "{word}");
    }
    assert!(run(["--version"]).assert_code(0).text().starts_with("mx-e2ee "));
    run([]).assert_says(2, &["Usage:"]);
    run(["event"]).assert_says(2, &["unrecognized subcommand 'event'", "--help"]);
    run(["message", "explain", "--passphrase", "secret"]).assert_says(2, &["--passphrase"]);
}

#[test]
fn no_command_takes_a_passphrase_as_an_argument() {
    for args in [&["events", "decrypt"][..], &["keys", "info"], &["keys", "rekey"], &["keys", "merge"]] {
        let help = run(args.iter().copied().chain(["--help"])).assert_code(0);
        let options =
            help.text().split_whitespace().filter(|word| word.starts_with("--") && word.contains("pass"));
        let known = ["--passphrase-fd", "--new-passphrase-fd", "--new-passphrase"];
        assert!(options.clone().count() > 0);
        assert!(options.clone().all(|option| known.contains(&option)), "{}", help.text());
    }
}

#[test]
fn each_command_has_a_page_and_each_shell_its_completions() {
    let folder = Folder::new();
    assert!(run(["man"]).assert_code(0).text().contains(".TH mx-e2ee 1"));
    let man = folder.text_path("man/man1");
    run(["man", &man]).assert_code(0);
    for page in [
        "mx-e2ee.1",
        "mx-e2ee-events-decrypt.1",
        "mx-e2ee-identity-sign-device.1",
        "mx-e2ee-keys-merge.1",
        "mx-e2ee-media-encrypt.1",
        "mx-e2ee-verify.1",
    ] {
        let page = folder.read(&format!("man/man1/{page}"));
        assert!(page.starts_with(b".ie") || page.starts_with(b".TH"));
    }
    let file = folder.write("file", "");
    run(["man", &file]).assert_says(3, &["cannot write to"]);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(["completions", shell]).assert_code(0);
        assert!(script.text().contains("decrypt") && script.text().contains("passphrase-fd"), "{shell}");
    }
    run(["completions", "tcsh"]).assert_says(2, &["possible values"]);
}
