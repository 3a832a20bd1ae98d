//! Three offices with folders of their own, and the program run in each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kopilka_cli::ceremony::{Identity, Passphrase, PrivateFolder, Record};
use kopilka_credential::threshold::IssuerIndex;
use tempfile::TempDir;

const PASSPHRASE: &str = "лес гора река поле";

pub(crate) fn index(number: u8) -> IssuerIndex {
    number.try_into().unwrap()
}

/// Issuers 1, 2 and 3.
pub(crate) struct Offices {
    dir: TempDir,
    /// Whether issuer 1 has sealed its identity, which makes each of its steps slow.
    sealed: bool,
}

impl Offices {
    /// Three identities, no ceremony.
    pub(crate) fn new(sealed: bool) -> Self {
        let offices = Self { dir: tempfile::tempdir().unwrap(), sealed };
        fs::write(offices.passphrase_file(), format!("{PASSPHRASE}\n")).unwrap();
        for (number, name) in [(1, "Администрация"), (2, "Дума"), (3, "Прокуратура")] {
            let private = offices.private(number);
            let mut args = vec!["identity", "--private", private.to_str().unwrap(), "--name", name];
            let file = offices.passphrase_file();
            args.extend(if sealed && number == 1 { vec!["--passphrase-file", &file] } else { vec!["--no-passphrase"] });
            offices.run(&args).unwrap();
            let again = offices.run(&args).unwrap_err();
            assert!(again.contains("exists already, and is not overwritten"), "{again}");
        }
        offices
    }

    /// Three identities and the plan of a 2-of-3 ceremony in each one's public folder.
    pub(crate) fn with_plan() -> Self {
        Self::new(false).planned()
    }

    /// The same, issuer 1 having sealed its identity.
    pub(crate) fn sealed_with_plan() -> Self {
        Self::new(true).planned()
    }

    fn planned(self) -> Self {
        let folder = self.public(1);
        let (one, two, three) = (self.card(1), self.card(2), self.card(3));
        let mut args = vec!["init", "--folder", folder.to_str().unwrap(), "--needed", "2"];
        args.extend(["--card", &one, "--card", &two, "--card", &three, "--chain-id", "31337"]);
        args.extend(["--municipality", "Заречный", "--purpose", "Бюджет 2027, все жители"]);
        let said = self.run(&args).unwrap();
        assert!(said.contains("issuer 3     0x") && said.contains("Прокуратура"), "{said}");
        for number in [2, 3] {
            fs::create_dir_all(self.public(number)).unwrap();
        }
        self.post(1, "ceremony.json");
        self
    }

    /// The same people and files once more.
    pub(crate) fn copy(&self) -> Self {
        let other = Self { dir: tempfile::tempdir().unwrap(), sealed: self.sealed };
        copy_folder(self.root(), other.root());
        other
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn public(&self, number: u8) -> PathBuf {
        self.root().join(format!("public-{number}"))
    }

    pub(crate) fn private(&self, number: u8) -> PathBuf {
        self.root().join(format!("private-{number}"))
    }

    pub(crate) fn card(&self, number: u8) -> String {
        self.private(number).join("card.json").to_str().unwrap().to_owned()
    }

    fn passphrase_file(&self) -> String {
        self.root().join("passphrase").to_str().unwrap().to_owned()
    }

    /// The program's output, or what it said on failure.
    pub(crate) fn run(&self, args: &[&str]) -> Result<String, String> {
        let output =
            Command::new(env!("CARGO_BIN_EXE_kopilka")).arg("ceremony").args(args).current_dir(self.root()).output();
        let output = output.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        if output.status.success() {
            return Ok(text(output.stdout));
        }
        let said = text(output.stderr);
        assert!(said.starts_with("kopilka: "), "a failure is told in words: {said}");
        assert!(!said.contains("panicked"), "{said}");
        Err(said)
    }

    fn step_of(&self, number: u8, step: &str, more: &[&str]) -> Result<String, String> {
        let folders = [self.public(number), self.private(number)].map(|path| path.to_str().unwrap().to_owned());
        let passphrase = self.passphrase_file();
        let mut args = vec![step, "--folder", &folders[0], "--private", &folders[1]];
        if self.sealed && number == 1 {
            args.extend(["--passphrase-file", &passphrase]);
        }
        args.extend(more);
        self.run(&args)
    }

    /// A participant's step that succeeds.
    pub(crate) fn step(&self, number: u8, step: &str, more: &[&str]) -> String {
        self.step_of(number, step, more).unwrap()
    }

    /// A participant's step that is refused.
    pub(crate) fn refused(&self, number: u8, step: &str, more: &[&str]) -> String {
        self.step_of(number, step, more).unwrap_err()
    }

    /// A step for which no identity is needed.
    pub(crate) fn step_publicly(&self, number: u8, step: &str, more: &[&str]) -> String {
        let folder = self.public(number);
        self.run(&[&[step, "--folder", folder.to_str().unwrap()], more].concat()).unwrap()
    }

    pub(crate) fn refused_publicly(&self, number: u8, step: &str, more: &[&str]) -> String {
        let folder = self.public(number);
        self.run(&[&[step, "--folder", folder.to_str().unwrap()], more].concat()).unwrap_err()
    }

    /// Sends a file from one to all the others.
    pub(crate) fn post(&self, from: u8, name: &str) {
        for to in (1..=3).filter(|to| *to != from) {
            fs::copy(self.public(from).join(name), self.public(to).join(name)).unwrap();
        }
    }

    pub(crate) fn contribute<const N: usize>(&self, numbers: [u8; N]) {
        for number in numbers {
            self.step(number, "contribute", &[]);
            self.post(number, &format!("contribution-{number}.json"));
        }
    }

    /// Files with the partial signatures of issuers.
    pub(crate) fn sign<const N: usize>(&self, numbers: [u8; N], more: &[&str]) -> Vec<String> {
        let sign = |number: u8| {
            let file = self.root().join(format!("signature-{number}.json"));
            fs::write(&file, self.step(number, "sign", more)).unwrap();
            file.to_str().unwrap().to_owned()
        };
        numbers.into_iter().map(sign).collect()
    }

    pub(crate) fn record(&self, number: u8) -> Record {
        Record::read(&self.public(number)).unwrap()
    }

    pub(crate) fn identity(&self, number: u8) -> Identity {
        let passphrase = || Ok(Passphrase::from(PASSPHRASE.to_owned()));
        PrivateFolder::at(self.private(number)).identity(passphrase).unwrap()
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy_folder(&path, &target) } else { fs::copy(&path, &target).map(drop).unwrap() }
    }
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
}
