#include "cli/verbs/list.h"

#include <string>
#include <vector>

#include "cli/command_line/exit_code.h"
#include "cli/render/json.h"
#include "cli/render/list_text.h"
#include "otto/host.h"

namespace otto::cli {
namespace {

std::string ids_of(const std::vector<HostListing>& hosts) {
  std::vector<std::string> ids;
  for (const HostListing& host : hosts) ids.push_back(host.id);
  return render_lines(ids);
}

Result<int> list_labs(Session& session) {
  OTTO_TRY(const auto workspace, session.open({.lab = false}));
  OTTO_TRY(const std::vector<std::string> names, workspace->lab_names());
  session.print(session.json() ? json::labs(names) : render_lines(names));
  return kExitDone;
}

Result<int> list_all_hosts(Session& session) {
  OTTO_TRY(const auto workspace, session.open({}));
  OTTO_TRY(const std::vector<HostListing> hosts, otto::list_hosts(*workspace));
  if (session.json()) {
    session.print(json::hosts(hosts));
  } else {
    session.print(session.options().quiet ? ids_of(hosts)
                                          : render_hosts(hosts, Session::now_ms(), session.terminal().out));
  }
  return kExitDone;
}

Result<int> show_lab(Session& session) {
  OTTO_TRY(const auto workspace, session.open({}));
  OTTO_TRY(std::vector<HostListing> hosts, otto::list_hosts(*workspace));
  std::erase_if(hosts, [](const HostListing& host) { return host.kind == HostKind::kContainer; });
  if (session.json()) {
    session.print(json::lab(hosts));
  } else {
    session.print(session.options().quiet ? ids_of(hosts) : render_lab(hosts, session.terminal().out));
  }
  return kExitDone;
}

}  // namespace

Result<int> run_listing(Session& session) {
  if (session.options().list_labs) return list_labs(session);
  if (session.options().list_hosts) return list_all_hosts(session);
  return show_lab(session);
}

}  // namespace otto::cli
