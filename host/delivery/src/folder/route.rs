//! The way from a path to a file: through which folders and symbolic links it leads.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// As many symbolic links as Linux follows (path_resolution(7)).
const LINKS: u32 = 40;

/// Where a change may lead a path elsewhere.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Route {
    /// The folders to watch, without symbolic links in them: those that hold a link, the file, or
    /// the folder that holds the file.
    pub(super) folders: BTreeSet<PathBuf>,
    /// The names in those folders that matter.
    pub(super) names: BTreeSet<OsString>,
}

impl Route {
    /// Adds the way of an absolute path, whether it leads to a file or ends before.
    pub(super) fn add(&mut self, path: &Path) {
        let mut here = PathBuf::new();
        let mut ahead = steps(path);
        let mut links = 0;
        while let Some(step) = ahead.pop() {
            if step == ".." {
                here.pop();
                continue;
            }
            let next = here.join(&step);
            let target = std::fs::read_link(&next).ok().filter(|_| links < LINKS);
            if target.is_some() || ahead.len() < 2 {
                self.folders.insert(here.clone());
                self.names.insert(step);
            }
            if let Some(target) = target {
                links += 1;
                ahead.extend(steps(&target));
            } else {
                // An absolute step, which is the root, takes the place of all before it.
                here = next;
            }
        }
    }
}

/// The parts of a path, the last one first.
fn steps(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter(|part| *part != std::path::Component::CurDir);
    let mut steps: Vec<OsString> = parts.map(|part| part.as_os_str().to_owned()).collect();
    steps.reverse();
    steps
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::Route;

    #[test]
    fn every_link_on_the_way_is_found_with_the_folder_that_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("releases/1")).unwrap();
        std::fs::write(root.join("releases/1/chat-1.wasm"), "").unwrap();
        symlink("chat-1.wasm", root.join("releases/1/chat.wasm")).unwrap();
        symlink(root.join("releases/1"), root.join("current")).unwrap();
        symlink("loop", root.join("loop")).unwrap();

        let mut route = Route::default();
        route.add(&root.join("current/chat.wasm"));
        for folder in [root.clone(), root.join("releases"), root.join("releases/1")] {
            assert!(route.folders.contains(&folder), "{folder:?} in {route:?}");
        }
        for name in ["current", "1", "chat.wasm", "chat-1.wasm"] {
            assert!(route.names.contains(std::ffi::OsStr::new(name)), "{name} in {route:?}");
        }

        let mut endless = Route::default();
        endless.add(&root.join("loop/chat.wasm"));
        assert!(endless.folders.contains(&root));
    }
}
