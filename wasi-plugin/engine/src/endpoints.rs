//! The interface `endpoints`.

use crate::Engine;
use crate::convert;
use crate::exports::hydrant::lfs::{endpoints as wit, types};
use hydrant_lfs::git_lfs::endpoint::{self, Setting};

impl wit::Guest for Engine {
    fn derive(
        settings: Vec<wit::Setting>,
        direction: types::Direction,
        remote: String,
    ) -> Result<wit::Endpoint, types::LfsError> {
        let settings: Vec<Setting> = settings.into_iter().map(|it| Setting { key: it.key, value: it.value }).collect();
        let it = endpoint::derive(&settings, convert::direction(direction), &remote).map_err(convert::error)?;
        let ssh = it.ssh.map(|it| wit::Ssh { user_and_host: it.user_and_host, port: it.port, path: it.path });
        Ok(wit::Endpoint { url: it.url, ssh })
    }

    fn allowed_in_repository(key: String) -> bool {
        endpoint::allowed_in_repository(&key)
    }
}
