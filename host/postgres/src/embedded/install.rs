//! The one command that installs PostgreSQL on the system at hand.
//! Never: runs it.

/// The command, with `sudo` unless we are root.
pub(super) fn command() -> String {
    if cfg!(target_os = "macos") {
        return "brew install postgresql@17".into();
    }
    let release = std::fs::read_to_string("/etc/os-release")
        .or_else(|_| std::fs::read_to_string("/usr/lib/os-release"))
        .unwrap_or_default();
    let command = for_release(&release);
    if rustix::process::geteuid().is_root() || command.starts_with("nix") {
        command.into()
    } else {
        format!("sudo {command}")
    }
}

/// Goes by ID and ID_LIKE (os-release(5)), the closest first.
fn for_release(release: &str) -> &'static str {
    let value = |key: &str| {
        release
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .map(|value| value.trim_matches(['"', '\'']))
            .unwrap_or_default()
    };
    let ids = std::iter::once(value("ID")).chain(value("ID_LIKE").split_whitespace());
    ids.into_iter().find_map(for_id).unwrap_or("apt-get install -y postgresql")
}

fn for_id(id: &str) -> Option<&'static str> {
    Some(match id {
        "debian" | "ubuntu" => "apt-get install -y postgresql",
        "fedora" | "rhel" | "centos" | "amzn" => "dnf install -y postgresql-server",
        "alpine" => "apk add postgresql",
        "arch" => "pacman -S --noconfirm postgresql",
        "suse" | "opensuse" => "zypper install -y postgresql-server",
        "nixos" => "nix-env -iA nixos.postgresql",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_suits_the_distribution_or_the_one_it_is_like() {
        assert_eq!(for_release("NAME=x\nID=alpine\n"), "apk add postgresql");
        assert_eq!(for_release("ID=debian"), "apt-get install -y postgresql");
        let rocky = "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n";
        assert_eq!(for_release(rocky), "dnf install -y postgresql-server");
        let mint = "ID=linuxmint\nID_LIKE='ubuntu debian'\n";
        assert_eq!(for_release(mint), "apt-get install -y postgresql");
    }

    #[test]
    fn id_like_is_not_mistaken_for_id() {
        assert_eq!(for_release("ID_LIKE=arch\nID=alpine\n"), "apk add postgresql");
    }
}
