use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use parvis_token::Signer;

use crate::token::random;

/// The folder in which a service keeps what must outlive it.
#[derive(Debug)]
pub struct DataFolder {
    folder: PathBuf,
    /// Held as long as the service runs.
    _lock: File,
}

impl DataFolder {
    /// Makes it, for its owner's eyes only, unless it is there. One service at a time has it.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("cannot make the data folder {}", folder.display()))?;
        let path = folder.join("lock");
        let lock =
            File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another service runs over {}", folder.display())
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            _lock: lock,
        })
    }

    /// A file of it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The file of the database. Others do not read it, though the folder is not of our making.
    pub fn database(&self) -> anyhow::Result<PathBuf> {
        const NAME: &str = "parvis.db";
        for suffix in ["", "-wal", "-shm"] {
            let path = self.file(&format!("{NAME}{suffix}"));
            let open_to_others = fs::metadata(&path)
                .is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
            if open_to_others {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
                    .with_context(|| format!("others can read {}", path.display()))?;
            }
        }
        Ok(self.file(NAME))
    }

    /// The key that signs tokens, made at the first start. Its public half is in
    /// [`keys`](Self::keys).
    pub fn signer(&self) -> anyhow::Result<Signer> {
        let signer = self.kept("issuer.key", || {
            Ok(Signer::from_seed(&random()?).private_jwk())
        })?;
        let signer = Signer::from_private_jwk(&signer)
            .with_context(|| format!("cannot use {}", self.file("issuer.key").display()))?;
        let keys = self.keys();
        fs::write(&keys, signer.key_set())
            .with_context(|| format!("cannot write {}", keys.display()))?;
        Ok(signer)
    }

    /// The file with the public key, for the relay.
    pub fn keys(&self) -> PathBuf {
        self.file("keys.json")
    }

    /// The file with the secret by which the relay takes orders.
    pub fn control_secret(&self) -> anyhow::Result<PathBuf> {
        self.kept("control-secret", || random_digits(1))?;
        Ok(self.file("control-secret"))
    }

    /// The file with the key by which clients learn after a crash that their sessions are over.
    pub fn reset_key(&self) -> anyhow::Result<PathBuf> {
        self.kept("reset-key", || random_digits(4))?;
        Ok(self.file("reset-key"))
    }

    /// The content of a file, which is made if it is not there.
    fn kept(
        &self,
        name: &str,
        make: impl FnOnce() -> anyhow::Result<String>,
    ) -> anyhow::Result<String> {
        let path = self.file(name);
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => return found.with_context(|| format!("cannot read {}", path.display())),
        }
        let text = make()?;
        self.write(name, &text)?;
        Ok(text)
    }

    /// Writes a file that only its owner reads.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.file(name);
        // Whole or not at all: a start that is cut short leaves no half of a key.
        let beside = self.file(&format!("{name}.new"));
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&beside)?;
            writeln!(file, "{text}")?;
            file.sync_all()?;
            fs::rename(&beside, &path)?;
            // The new name outlives a loss of power, too.
            File::open(&self.folder)?.sync_all()
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}

/// So many times 128 random bits, in hexadecimal digits.
fn random_digits(times: usize) -> anyhow::Result<String> {
    let digits = |_| Ok(format!("{:032x}", u128::from_be_bytes(random()?)));
    (0..times).map(digits).collect()
}
