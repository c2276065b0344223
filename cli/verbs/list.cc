#include "cli/verbs/list.h"

#include <string>
#include <vector>

#include "cli/command_line/exit_code.h"
#include "cli/render/json.h"
#include "cli/render/list_text.h"
#include "graph/base/clock.h"
#include "otto/host.h"

namespace otto::cli {
namespace {

std::string ids_of(const std::vector<HostListing>& hosts) {
  std::vector<std::string> ids;
  for (const HostListing& host : hosts) ids.push_back(host.id);
  return render_lines(ids);
}

Result<int> list_labs(Invocation& invocation) {
  OTTO_TRY(const auto workspace, invocation.open({.lab = false}));
  OTTO_TRY(const std::vector<std::string> names, workspace->lab_names());
  invocation.print(json::labs(names), render_lines(names));
  return kExitDone;
}

Result<int> list_all_hosts(Invocation& invocation) {
  OTTO_TRY(const auto workspace, invocation.open({}));
  OTTO_TRY(const std::vector<HostListing> hosts, otto::list_hosts(*workspace));
  if (invocation.json()) {
    invocation.print_json(json::hosts(hosts));
  } else {
    invocation.print(invocation.options().quiet ? ids_of(hosts)
                                                : render_hosts(hosts, epoch_ms(), invocation.terminal().out));
  }
  return kExitDone;
}

Result<int> show_lab(Invocation& invocation) {
  OTTO_TRY(const auto workspace, invocation.open({}));
  OTTO_TRY(std::vector<HostListing> hosts, otto::list_hosts(*workspace));
  std::erase_if(hosts, [](const HostListing& host) { return host.kind == HostKind::kContainer; });
  if (invocation.json()) {
    invocation.print_json(json::lab(hosts));
  } else {
    invocation.print(invocation.options().quiet ? ids_of(hosts) : render_lab(hosts, invocation.terminal().out));
  }
  return kExitDone;
}

}  // namespace

Result<int> run_listing(Invocation& invocation) {
  if (invocation.options().list_labs) return list_labs(invocation);
  if (invocation.options().list_hosts) return list_all_hosts(invocation);
  return show_lab(invocation);
}

}  // namespace otto::cli
