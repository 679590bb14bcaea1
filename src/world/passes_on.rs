//! What every world around another one has to say, said once: the methods that it hands on as they are.

/// Methods of a [`World`] around another one, in its field `$world`, which that one answers.
macro_rules! passes_on {
    ($world:ident: $($method:ident)*) => { $($crate::world::passes_on!(@ $world $method);)* };
    (@ $world:ident read) => {
        fn read(&self, path: &camino::Utf8Path) -> Result<Vec<u8>, $crate::world::WorldError> {
            self.$world.read(path)
        }
    };
    (@ $world:ident list) => {
        fn list(
            &self,
            path: &camino::Utf8Path,
        ) -> Result<Vec<$crate::world::FolderEntry>, $crate::world::WorldError> {
            self.$world.list(path)
        }
    };
    (@ $world:ident kind) => {
        fn kind(&self, path: &camino::Utf8Path) -> Option<$crate::world::EntryKind> {
            self.$world.kind(path)
        }
    };
    (@ $world:ident size) => {
        fn size(&self, path: &camino::Utf8Path) -> Result<u64, $crate::world::WorldError> {
            self.$world.size(path)
        }
    };
    (@ $world:ident real_path) => {
        fn real_path(
            &self,
            path: &camino::Utf8Path,
        ) -> Result<camino::Utf8PathBuf, $crate::world::WorldError> {
            self.$world.real_path(path)
        }
    };
    (@ $world:ident now) => {
        fn now(&self) -> (i64, u32) {
            self.$world.now()
        }
    };
    (@ $world:ident random) => {
        fn random(&self, out: &mut [u8]) {
            self.$world.random(out);
        }
    };
    (@ $world:ident standard_input) => {
        fn standard_input(&self) -> Result<Vec<u8>, $crate::world::WorldError> {
            self.$world.standard_input()
        }
    };
    (@ $world:ident write) => {
        fn write(&self, path: &camino::Utf8Path, bytes: &[u8]) -> Result<(), $crate::world::WorldError> {
            self.$world.write(path, bytes)
        }
    };
    (@ $world:ident keep) => {
        fn keep(&self, path: &camino::Utf8Path, bytes: &[u8]) -> Result<(), $crate::world::WorldError> {
            self.$world.keep(path, bytes)
        }
    };
    (@ $world:ident remove) => {
        fn remove(&self, path: &camino::Utf8Path) -> Result<(), $crate::world::WorldError> {
            self.$world.remove(path)
        }
    };
    (@ $world:ident remove_empty_folder) => {
        fn remove_empty_folder(
            &self,
            path: &camino::Utf8Path,
        ) -> Result<(), $crate::world::WorldError> {
            self.$world.remove_empty_folder(path)
        }
    };
    (@ $world:ident exclusive) => {
        fn exclusive(
            &self,
            path: &camino::Utf8Path,
        ) -> Result<$crate::world::Exclusive, $crate::world::WorldError> {
            self.$world.exclusive(path)
        }
    };
    (@ $world:ident variable) => {
        fn variable(&self, name: &str) -> Option<String> {
            self.$world.variable(name)
        }
    };
    (@ $world:ident pause) => {
        fn pause(&self, time: std::time::Duration) {
            self.$world.pause(time);
        }
    };
    (@ $world:ident fetch) => {
        fn fetch(
            &self,
            request: &$crate::world::net::Request,
        ) -> Result<$crate::world::net::Response, $crate::world::net::NetError> {
            self.$world.fetch(request)
        }
    };
    (@ $world:ident execute) => {
        fn execute(
            &self,
            program: &str,
            arguments: &[&str],
            input: &[u8],
        ) -> Result<$crate::world::net::Finished, $crate::world::WorldError> {
            self.$world.execute(program, arguments, input)
        }
    };
    (@ $world:ident root) => {
        fn root(&self) -> Option<&camino::Utf8Path> {
            self.$world.root()
        }
    };
}
pub(crate) use passes_on;
