use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AccountId, ErrorKind};

/// What somebody may do in a room: owner > administrator > member > guest.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// No role in this room: a guest, or an agent whom nobody gave one.
    #[default]
    Guest,
    /// Enters a restricted room without knocking.
    Member,
    /// Moderates and decides who comes in.
    Administrator,
    /// Everything, and gives that to others.
    Owner,
}

impl Role {
    /// Whether it moderates: owners and administrators.
    pub fn is_host(self) -> bool {
        self >= Self::Administrator
    }
}

/// Who has which role in a room, present or not; at least one is owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "BTreeMap<AccountId, Role>",
    into = "BTreeMap<AccountId, Role>"
)]
pub struct Roles {
    roles: BTreeMap<AccountId, Role>,
    owners: usize,
}

impl Roles {
    /// The roles of a new room: its creator is owner.
    pub fn new(owner: AccountId) -> Self {
        Self {
            roles: BTreeMap::from([(owner, Role::Owner)]),
            owners: 1,
        }
    }

    /// The role of an account; without one it is a guest.
    pub fn role(&self, account: &AccountId) -> Role {
        self.roles.get(account).copied().unwrap_or_default()
    }

    /// Gives a role, or takes it away with [`Role::Guest`]; refuses to leave no owner.
    pub fn set(&mut self, account: AccountId, role: Role) -> Result<(), ErrorKind> {
        let was_owner = self.role(&account) == Role::Owner;
        if was_owner && role != Role::Owner && self.owners == 1 {
            return Err(ErrorKind::LastOwner);
        }
        self.owners += usize::from(role == Role::Owner);
        self.owners -= usize::from(was_owner);
        if role == Role::Guest {
            self.roles.remove(&account);
        } else {
            self.roles.insert(account, role);
        }
        Ok(())
    }

    /// How many owners there are.
    pub fn owners(&self) -> usize {
        self.owners
    }

    /// Every account with a role.
    pub fn iter(&self) -> impl Iterator<Item = (&AccountId, Role)> {
        self.roles.iter().map(|(account, role)| (account, *role))
    }
}

impl TryFrom<BTreeMap<AccountId, Role>> for Roles {
    type Error = ErrorKind;

    fn try_from(mut roles: BTreeMap<AccountId, Role>) -> Result<Self, ErrorKind> {
        roles.retain(|_, role| *role != Role::Guest);
        let owners = roles.values().filter(|role| **role == Role::Owner).count();
        if owners == 0 {
            return Err(ErrorKind::LastOwner);
        }
        Ok(Self { roles, owners })
    }
}

impl From<Roles> for BTreeMap<AccountId, Role> {
    fn from(roles: Roles) -> Self {
        roles.roles
    }
}
