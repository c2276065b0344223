// `.otto/settings.toml` as values: what a repo declares. docs/configuration.md has every key.
//
// Parsing is strict: unknown keys, wrong types, duplicate names and paths that do not exist are one kConfig error
// naming file, line, column and the near-miss; nothing is contacted before. Must not know hosts or Docker engines.
// Values only.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config/source_location.h"
#include "graph/base/result.h"
#include "transport/address.h"

namespace otto::config {

/// `ssh_options` of hosts.json and of [host_defaults]; hosts.json wins, key by key.
struct SshOptions {
  std::optional<std::uint16_t> port;
  std::optional<std::vector<std::string>>
      identity_files;                                   ///< ~ expanded; relative to hosts.json's directory, or the repo
  std::optional<std::vector<std::string>> known_hosts;  ///< likewise
  std::optional<transport::HostKeyPolicy> host_key_policy;
  std::optional<std::chrono::milliseconds> connect_timeout;     ///< in the file: seconds, may have a fraction
  std::optional<std::chrono::milliseconds> keepalive_interval;  ///< likewise
  std::optional<bool> use_ssh_config;
};

/// `telnet_options` of hosts.json.
struct TelnetOptions {
  std::optional<std::uint16_t> port;
  std::optional<std::chrono::milliseconds> connect_timeout;     ///< in the file: seconds, may have a fraction
  std::optional<std::chrono::milliseconds> keepalive_interval;  ///< likewise
};

/// What a build may read and no image holds: a file of this machine, or a value that is at hand.
struct BuildSecret {
  std::filesystem::path file;  ///< absolute; empty: the value
  std::string value;
  bool operator==(const BuildSecret&) const = default;
};

struct ImageSettings {
  std::string name;
  std::filesystem::path dockerfile;  ///< absolute
  /// The Dockerfile's text, where a compose file holds it; `dockerfile` then only names the place.
  std::optional<std::string> dockerfile_inline = {};
  std::filesystem::path context;  ///< absolute
  std::map<std::string, std::string> build_args;
  /// Further options of `docker build` that a compose file asks for: {"label", "k"} → "v" (compose_file.h).
  std::map<std::pair<std::string, std::string>, std::string> build_options = {};
  /// Those that change how it is built and not what comes out: {"cache-from", "REF"}, {"pull", ""}.
  std::vector<std::pair<std::string, std::string>> build_hints = {};
  std::map<std::string, BuildSecret> build_secrets = {};  ///< by id; none counts in the hash
  std::optional<std::string> target;
  std::optional<std::string> platform;
  bool track_base = false;            ///< the ids of external base images count in the hash
  std::vector<std::string> aliases;   ///< further references that mean it: `image:` beside a compose file's `build:`
  bool idle = false;                  ///< only services whose profiles are off run it: built where it is asked for
  std::optional<Error> trouble = {};  ///< why it cannot be built; told to whoever asks for it
  SourceLocation where;
};

struct ComposeSettings {
  std::filesystem::path path;         ///< absolute
  std::string default_host;           ///< a host id, lower case; empty: none
  std::vector<std::string> services;  ///< for completion and declared containers only
  SourceLocation where;
};

struct Settings {
  std::filesystem::path root;  ///< ${sutDir}: the directory that holds .otto
  std::filesystem::path file;
  std::string name;   ///< <project> in tags and ids: lower case, and a repository component that Docker takes
  std::string title;  ///< the name as it is written
  std::string version;
  std::vector<std::filesystem::path> labs;  ///< directories that hold a hosts.json
  std::vector<std::filesystem::path> libs;
  std::vector<std::string> init;
  std::optional<std::string> default_lab;
  SourceLocation default_lab_where;
  SshOptions host_defaults;  ///< [host_defaults.ssh_options]
  std::string registry_url = "docker.io";
  std::vector<std::string> docker_command = {"docker"};
  bool track_base = false;            ///< of images that do not say
  std::vector<ImageSettings> images;  ///< [[docker.images]]; in a workspace, then those that compose files build
  std::optional<Error> images_error;  ///< why the images of compose files are not known
  std::vector<ComposeSettings> composes;
};

/// Docker's rule for one part of a repository's name: lower-case letters and digits, joined by '.', '_', '__' or
/// dashes.
bool is_repository_component(std::string_view name);

/// Reads and checks `<root>/.otto/settings.toml`. kConfig.
Result<Settings> load_settings(const std::filesystem::path& root);

/// As load_settings, from text that is at hand: for tests and fuzzing.
Result<Settings> parse_settings(const std::filesystem::path& root, std::string_view text);

/// Where repos are looked for: --repo-dir, else OTTO_SUT_DIRS (',' or ':' separated), else upward from `cwd`.
struct RepoSearch {
  std::vector<std::filesystem::path> repo_dirs;
  std::optional<std::string> sut_dirs;
  std::filesystem::path cwd;
};
/// The repos' roots, absolute, without duplicates; empty where none is found by searching upward. kConfig for a named
/// directory without settings.
Result<std::vector<std::filesystem::path>> find_repos(const RepoSearch& search);

}  // namespace otto::config
