// Session of the façade over a terminal.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "engine/hosts/host_access.h"
#include "graph/base/sync.h"
#include "otto/session.h"
#include "otto/terminal.h"

namespace otto::hosts {

/// What was shown and not matched yet, and the search in it.
class Transcript {
 public:
  void add(std::string_view bytes);
  /// The first match, taken out with what is before it. kUsage for a bad pattern.
  Result<std::optional<Expected>> take(const std::vector<std::string>& patterns);
  /// The end of what is there, printable.
  [[nodiscard]] std::string tail() const;

 private:
  std::string shown_;
};

/// The names of a host's open sessions.
using SessionNames = Sync<std::set<std::string>>;

/// Borrows `access`; the session gives its name back when it goes. Errors as Host::open_session.
Result<std::unique_ptr<Session>> open_session(HostAccess& access, const std::shared_ptr<SessionNames>& names,
                                              std::string name, const SessionOptions& options);

}  // namespace otto::hosts
