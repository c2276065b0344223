#include "engine/containers/half_replaced.h"

#include <algorithm>

namespace otto::plan {

namespace {

constexpr std::size_t kPrefix = 12;

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

class Salvager {
 public:
  Salvager(std::vector<ContainerState> containers, const std::set<std::string>& given_names)
      : containers_(std::move(containers)), given_names_(given_names) {}

  Salvage operator()() {
    // Each turn takes one temporary name away, so what the others mean is judged anew.
    for (std::optional<std::size_t> next; (next = half_replaced());) put_right(*next);
    return {std::move(steps_), std::move(containers_)};
  }

 private:
  [[nodiscard]] std::optional<std::size_t> half_replaced() const {
    for (std::size_t i = 0; i < containers_.size(); ++i) {
      if (!given_names_.contains(containers_[i].name) && temporary_name(containers_[i].name)) return i;
    }
    return std::nullopt;
  }

  void put_right(std::size_t index) {
    const TemporaryName parsed = *temporary_name(containers_[index].name);
    const std::string plain(parsed.plain_name);
    const bool is_original = containers_[index].id.starts_with(parsed.original_id);
    const std::optional<std::size_t> holder = named(plain);
    if (!holder) {
      containers_[index].doomed = containers_[index].doomed || is_original;
      return rename(index, plain);
    }
    if (is_original && containers_[*holder].status == "created") {
      remove(*holder);
      const std::size_t left = index > *holder ? index - 1 : index;
      containers_[left].doomed = true;
      return rename(left, plain);
    }
    if (!is_original) containers_[*holder].doomed = true;
    remove(index);
  }

  [[nodiscard]] std::optional<std::size_t> named(const std::string& name) const {
    const auto found = std::ranges::find(containers_, name, &ContainerState::name);
    if (found == containers_.end()) return std::nullopt;
    return static_cast<std::size_t>(found - containers_.begin());
  }

  void rename(std::size_t index, const std::string& plain) {
    ContainerState& container = containers_[index];
    steps_.push_back({PutRight::Act::kRename, container.service, container.id, container.name, plain});
    container.name = plain;
  }

  void remove(std::size_t index) {
    const ContainerState& container = containers_[index];
    steps_.push_back({PutRight::Act::kRemove, container.service, container.id, container.name, {}});
    containers_.erase(containers_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  std::vector<ContainerState> containers_;
  const std::set<std::string>& given_names_;
  std::vector<PutRight> steps_;
};

}  // namespace

std::optional<TemporaryName> temporary_name(std::string_view name) {
  if (name.size() <= kPrefix + 1 || name[kPrefix] != '_') return std::nullopt;
  if (!std::ranges::all_of(name.substr(0, kPrefix), is_hex)) return std::nullopt;
  return TemporaryName{name.substr(0, kPrefix), name.substr(kPrefix + 1)};
}

std::string temporary_name_pattern() {
  std::string pattern;
  for (std::size_t i = 0; i < kPrefix; ++i) pattern += "[0-9a-f]";
  return pattern + "_?*";
}

Salvage salvage(std::vector<ContainerState> containers, const std::set<std::string>& given_names) {
  return Salvager(std::move(containers), given_names)();
}

}  // namespace otto::plan
