#include "engine/containers/half_replaced.h"

#include <algorithm>

namespace otto::containers {

namespace {

class Salvager {
 public:
  Salvager(std::vector<parent::ContainerState> containers, const std::set<std::string>& given_names)
      : containers_(std::move(containers)), given_names_(given_names) {}

  Salvage operator()() {
    // Each turn takes one temporary name away, so what the others mean is judged anew.
    for (std::optional<std::size_t> next; (next = half_replaced());) put_right(*next);
    return {std::move(steps_), std::move(containers_)};
  }

 private:
  [[nodiscard]] std::optional<std::size_t> half_replaced() const {
    for (std::size_t i = 0; i < containers_.size(); ++i) {
      if (!given_names_.contains(containers_[i].name) && parent::temporary_name(containers_[i].name)) return i;
    }
    return std::nullopt;
  }

  void put_right(std::size_t index) {
    const parent::TemporaryName parsed = *parent::temporary_name(containers_[index].name);
    const std::string plain(parsed.plain_name);
    const bool is_original = containers_[index].id.starts_with(parsed.original_id);
    const std::optional<std::size_t> holder = named(plain);
    if (!holder) {
      containers_[index].doomed = containers_[index].doomed || is_original;
      return rename(index, plain);
    }
    if (is_original && containers_[*holder].status == parent::ContainerStatus::kCreated) {
      remove(*holder);
      const std::size_t left = index > *holder ? index - 1 : index;
      containers_[left].doomed = true;
      return rename(left, plain);
    }
    if (!is_original) containers_[*holder].doomed = true;
    remove(index);
  }

  [[nodiscard]] std::optional<std::size_t> named(const std::string& name) const {
    const auto found = std::ranges::find(containers_, name, &parent::ContainerState::name);
    if (found == containers_.end()) return std::nullopt;
    return static_cast<std::size_t>(found - containers_.begin());
  }

  void rename(std::size_t index, const std::string& plain) {
    parent::ContainerState& container = containers_[index];
    steps_.push_back({PutRight::Act::kRename, container.service, container.id, container.name, plain});
    container.name = plain;
  }

  void remove(std::size_t index) {
    const parent::ContainerState& container = containers_[index];
    steps_.push_back({PutRight::Act::kRemove, container.service, container.id, container.name, {}});
    containers_.erase(containers_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  std::vector<parent::ContainerState> containers_;
  const std::set<std::string>& given_names_;
  std::vector<PutRight> steps_;
};

}  // namespace

Salvage salvage(std::vector<parent::ContainerState> containers, const std::set<std::string>& given_names) {
  return Salvager(std::move(containers), given_names)();
}

}  // namespace otto::containers
