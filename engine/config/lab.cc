// Which hosts a command may use: the labs of all repos, merged, and the choice among them.
//
// The files are merged before anything is chosen, so that a wrong host is reported whichever lab is in use. A directory
// that several repos name is read once.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <system_error>
#include <unordered_map>

#include "engine/config/document.h"
#include "engine/config/fields.h"
#include "engine/config/hosts.h"
#include "engine/config/route.h"
#include "graph/base/text.h"

namespace otto::config {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kEnvironment = "OTTO_LAB";

struct Inventory {
  std::vector<HostEntry> hosts;
  std::vector<std::string> files;
  std::vector<std::string> labs;  ///< sorted
};

Result<void> refuse_duplicates(const std::vector<HostEntry>& hosts) {
  std::unordered_map<std::string_view, const HostEntry*> seen;
  for (const HostEntry& host : hosts) {
    const auto [first, added] = seen.emplace(host.id, &host);
    if (added) continue;
    return make_error(ErrorCode::kConfig,
                      fmt::format("{}: host '{}' is declared twice, first at {}", host.where.str(), host.id,
                                  first->second->where.str()),
                      "ids are ne_board_neId_slot; give one of them another slot, or remove it");
  }
  return {};
}

Result<Inventory> read_inventory(const std::vector<Settings>& repos, std::vector<std::string>& warnings) {
  Inventory inventory;
  std::set<fs::path> read;
  std::set<std::string> labs;
  for (const Settings& repo : repos) {
    for (const fs::path& directory : repo.labs) {
      const fs::path file = directory / "hosts.json";
      std::error_code ignored;
      const fs::path real = fs::weakly_canonical(file, ignored);
      if (!read.insert(real.empty() ? file : real).second) continue;
      OTTO_TRY(std::vector<HostEntry> hosts, load_hosts(file, warnings));
      for (const HostEntry& host : hosts) labs.insert(host.labs.begin(), host.labs.end());
      if (inventory.hosts.empty()) {
        inventory.hosts = std::move(hosts);
      } else {
        std::move(hosts.begin(), hosts.end(), std::back_inserter(inventory.hosts));
      }
      inventory.files.push_back(file.string());
    }
  }
  inventory.labs.assign(labs.begin(), labs.end());
  OTTO_RETURN_IF_ERROR(refuse_duplicates(inventory.hosts));
  return inventory;
}

/// A lab that was asked for, and by whom, as its error begins.
struct Wanted {
  std::string name;
  std::string said_by;
};

void want(std::vector<Wanted>& wanted, const std::vector<std::string>& names, const std::string& said_by) {
  for (const std::string& each : names) {
    const std::string name(text::trim(each));
    const bool known = std::any_of(wanted.begin(), wanted.end(), [&](const Wanted& w) { return w.name == name; });
    if (!name.empty() && !known) wanted.push_back({name, said_by});
  }
}

std::vector<Wanted> wanted_labs(const std::vector<Settings>& repos, const LabChoice& choice) {
  std::vector<Wanted> wanted;
  for (const std::string& option : choice.option) want(wanted, text::split(option, ','), "--lab");
  if (!wanted.empty()) return wanted;
  want(wanted, text::split(choice.environment.value_or(""), ','), std::string(kEnvironment));
  if (!wanted.empty()) return wanted;
  for (const Settings& repo : repos) {
    if (repo.default_lab) want(wanted, {*repo.default_lab}, repo.default_lab_where.str());
  }
  return wanted;
}

Error unknown_lab(const Inventory& inventory, const Wanted& wanted) {
  std::string message = fmt::format("{}: unknown lab '{}'{}", wanted.said_by, one_line(wanted.name),
                                    text::did_you_mean(wanted.name, inventory.labs));
  if (inventory.files.empty()) {
    return make_error(ErrorCode::kUnknownName, std::move(message),
                      "no repo names a lab: add labs = [\"DIRECTORY OF hosts.json\"] to .otto/settings.toml");
  }
  return make_error(ErrorCode::kUnknownName, std::move(message),
                    inventory.labs.empty() ? fmt::format("no host of {} is in a lab", list_of(inventory.files))
                                           : fmt::format("the labs are: {}", list_of(inventory.labs)));
}

Result<std::vector<std::string>> choose(const Inventory& inventory, const std::vector<Settings>& repos,
                                        const LabChoice& choice) {
  std::vector<std::string> names;
  for (const Wanted& wanted : wanted_labs(repos, choice)) {
    if (!std::binary_search(inventory.labs.begin(), inventory.labs.end(), wanted.name)) {
      return unknown_lab(inventory, wanted);
    }
    names.push_back(wanted.name);
  }
  if (!names.empty()) return names;
  if (inventory.labs.size() > 1) {
    return make_error(ErrorCode::kConfig, fmt::format("no lab is chosen among {}", list_of(inventory.labs)),
                      fmt::format("choose with --lab {}, {} or default_lab in .otto/settings.toml",
                                  inventory.labs.front(), kEnvironment));
  }
  return inventory.labs;
}

HostEntry local_host() {
  HostEntry host;
  host.id = "local";
  host.term = transport::Protocol::kLocal;
  host.docker_capable = true;
  return host;
}

bool in_labs(const HostEntry& host, const std::vector<std::string>& names) {
  return std::any_of(host.labs.begin(), host.labs.end(),
                     [&](const std::string& lab) { return std::find(names.begin(), names.end(), lab) != names.end(); });
}

}  // namespace

const HostEntry* Lab::find(std::string_view id) const {
  const std::string wanted = text::to_lower(id);
  const auto found = std::find_if(hosts.begin(), hosts.end(), [&](const HostEntry& host) { return host.id == wanted; });
  return found == hosts.end() ? nullptr : &*found;
}

Result<const HostEntry*> Lab::get(std::string_view id) const {
  if (const HostEntry* host = find(id)) return host;
  const std::string shown = one_line(id);
  for (const HostEntry& other : others) {
    if (other.id != text::to_lower(id)) continue;
    if (other.labs.empty()) {
      return make_error(ErrorCode::kUnknownName, fmt::format("host '{}' is in no lab", shown),
                        fmt::format("add \"labs\" to it at {}", other.where.str()));
    }
    return make_error(ErrorCode::kUnknownName,
                      fmt::format("host '{}' is not in lab {}, but in {}", shown, list_of(names), list_of(other.labs)),
                      fmt::format("choose its lab: --lab {}", other.labs.front()));
  }
  std::vector<std::string> ids;
  for (const HostEntry& host : hosts) ids.push_back(host.id);
  constexpr std::size_t kListed = 12;
  return make_error(ErrorCode::kUnknownName,
                    fmt::format("unknown host '{}'{}", shown, text::did_you_mean(text::to_lower(id), ids)),
                    ids.size() <= kListed ? fmt::format("the hosts are: {}", list_of(ids))
                                          : std::string("`otto --list-hosts` lists them"));
}

Result<Lab> load_lab(const std::vector<Settings>& repos, const LabChoice& choice, std::vector<std::string>& warnings) {
  OTTO_TRY(Inventory inventory, read_inventory(repos, warnings));
  Lab lab;
  OTTO_TRY(lab.names, choose(inventory, repos, choice));
  std::vector<HostEntry*> sorted;  // an entry is large: each is moved once
  for (HostEntry& host : inventory.hosts) sorted.push_back(&host);
  std::sort(sorted.begin(), sorted.end(), [](const HostEntry* a, const HostEntry* b) { return a->id < b->id; });
  lab.hosts.reserve(sorted.size());
  for (HostEntry* const host : sorted) {
    std::vector<HostEntry>& into = in_labs(*host, lab.names) ? lab.hosts : lab.others;
    into.push_back(std::move(*host));
  }
  OTTO_RETURN_IF_ERROR(check_hops(lab));
  if (lab.names.empty()) {
    if (!lab.others.empty()) {
      warnings.push_back(fmt::format("no host of {} is in a lab; only 'local' can be used (add \"labs\" to the hosts)",
                                     list_of(inventory.files)));
    }
    lab.hosts.push_back(local_host());
  }
  return lab;
}

Result<std::vector<std::string>> list_labs(const std::vector<Settings>& repos) {
  std::vector<std::string> unused;
  OTTO_TRY(Inventory inventory, read_inventory(repos, unused));
  return std::move(inventory.labs);
}

}  // namespace otto::config
