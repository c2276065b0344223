// What a command works in: the repos, the chosen lab, the memo and the connections to hosts.
//
// Opening reads and checks the whole configuration and contacts nothing. Connections are made on first use, kept until
// the workspace goes, and may be started early (connect_early) so that the handshake overlaps with scanning. Ownership:
// one Workspace a command; it owns everything it hands out references to. Threads: one thread calls it; remote() may be
// called from any.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"
#include "otto/reporter.h"

namespace otto {

namespace workspace {
class Opened;
}

/// How a machine is reached.
enum class Term { kLocal, kSsh, kTelnet };

struct WorkspaceOptions {
  std::vector<std::filesystem::path> repo_dirs;  ///< --repo-dir
  std::filesystem::path cwd;
  std::vector<std::string> labs;                   ///< --lab, split
  std::optional<std::string> repo;                 ///< --repo NAME; empty: every repo found
  std::function<const char*(const char*)> getenv;  ///< empty: the process environment
  std::optional<std::string> hop;                  ///< --hop: an extra first hop for `otto host`
  std::optional<Term> term;                        ///< --term: how machines are reached, whatever hosts.json says
  /// Asks for a passphrase or password without echo; empty with --no-input.
  std::function<std::optional<std::string>(const std::string& prompt)> ask_secret;
  bool need_lab = true;  ///< false: a lab that cannot be chosen is no error yet (listing, `otto docker context`)
  bool dry_run = false;  ///< doctor does not open the memo, which would make one where there is none
};

class Workspace {
 public:
  /// kConfig, kUnknownName (with the near-miss), kUsage where no repo is found (hint: --repo-dir).
  static Result<std::unique_ptr<Workspace>> open(const WorkspaceOptions& options, Reporter& reporter,
                                                 std::stop_token stop = {});
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  /// The labs that the repos' hosts.json files know, sorted. kConfig.
  [[nodiscard]] Result<std::vector<std::string>> lab_names() const;

  /// Over what is open already: for the engine's own tests.
  static std::unique_ptr<Workspace> over(std::unique_ptr<workspace::Opened> opened);
  /// The engine's own side, which no header of the library shows.
  [[nodiscard]] workspace::Opened& opened() const { return *opened_; }

 private:
  explicit Workspace(std::unique_ptr<workspace::Opened> opened);
  std::unique_ptr<workspace::Opened> opened_;
};

}  // namespace otto
