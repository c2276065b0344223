#include "engine/compose/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "engine/compose/env_file.h"
#include "engine/compose/merge.h"
#include "engine/compose/paths.h"
#include "engine/compose/stage_layout.h"
#include "graph/base/text.h"
#include "graph/base/whole_file.h"

namespace otto::compose {
namespace fs = std::filesystem;
namespace {

/// `outer` first, then a file's values.
Lookup with_file(Lookup outer, const std::map<std::string, std::string>& values) {
  return [outer = std::move(outer), values](std::string_view name) -> std::optional<std::string> {
    if (auto value = outer(name)) return value;
    const auto known = values.find(std::string(name));
    return known == values.end() ? std::nullopt : std::optional(known->second);
  };
}

class Loader {
 public:
  Loader(Model& model, const GetEnv& getenv) : model_(model), paths_(getenv) {}

  /// The stack's own files: no service may stand in two of them, unless it is the same.
  Result<Node> load_stack(const std::vector<fs::path>& files) {
    Node stack;
    stack.kind = Node::Kind::kMap;
    for (const fs::path& path : files) {
      if (!fs::exists(path)) {
        return make_error(ErrorCode::kConfig, fmt::format("compose file '{}' does not exist", path.string()),
                          "mend its path in [[docker.composes]]");
      }
      OTTO_TRY(Node one, load_files({normal_path(path)}, model_.scope, {}));
      if (Node::Member* const services = one.member("services")) {
        OTTO_RETURN_IF_ERROR(check_apart(*services, stack.get("services")));
      }
      merge(stack, std::move(one), {});
    }
    return stack;
  }

 private:
  /// Files that are laid over one another, with documents that are.
  Result<Node> load_files(const std::vector<fs::path>& files, const Scope& scope, std::vector<fs::path> chain) {
    Node all;
    all.kind = Node::Kind::kMap;
    chain.push_back(files.front());
    for (const fs::path& path : files) {
      OTTO_TRY(std::vector<Node> documents, read_documents(path, scope));
      for (Node& document : documents) {
        OTTO_RETURN_IF_ERROR(check_services(document));
        const std::vector<NodePath> tagged = take_tagged(document);
        OTTO_RETURN_IF_ERROR(include_all(document, scope, chain));
        remove_at(all, tagged);
        OTTO_RETURN_IF_ERROR(extend_all(document, path.string(), tagged));
        merge(all, std::move(document), {});
      }
    }
    keep_last_of_each(all);
    return all;
  }

  Result<std::vector<Node>> read_documents(const fs::path& path, const Scope& scope) {
    const auto text = read_whole_file(path);
    if (!text) {
      return make_error(ErrorCode::kConfig, fmt::format("compose file '{}' cannot be read", path.string()),
                        "check its permissions");
    }
    model_.names.push_back(path.string());
    OTTO_TRY(std::vector<Node> documents, parse_documents(*text, model_.names.back(), scope));
    for (Node& document : documents) {
      if (!document.is_map()) {
        return make_error(ErrorCode::kConfig, fmt::format("{}: not a compose file", document.place()),
                          "a compose file is a map that holds 'services'");
      }
      collect_variables(document, model_.variables);
      OTTO_RETURN_IF_ERROR(put_variables_in(document));
    }
    return documents;
  }

  static Result<void> check_services(const Node& document) {
    const Node& services = document.get("services");
    if (services.is_nothing()) return {};
    if (!services.is_map()) {
      return make_error(ErrorCode::kConfig, fmt::format("{}: 'services' is not a map", services.place()),
                        "write each service as NAME: {…}");
    }
    for (const Node::Member& service : services.members) {
      if (service.value.is_map() || service.value.tag != MergeTag::kNone) continue;
      return make_error(ErrorCode::kConfig,
                        fmt::format("{}: service '{}' is not a map", service.place(), text::printable(service.key)),
                        "give it an image or a build section");
    }
    return {};
  }

  // --- include ---

  Result<void> include_all(Node& document, const Scope& scope, const std::vector<fs::path>& chain) {
    const Node list = document.get("include");
    for (const Node* entry : list.as_list()) OTTO_RETURN_IF_ERROR(include(document, *entry, scope, chain));
    document.erase("include");
    return {};
  }

  Result<void> include(Node& document, const Node& entry, const Scope& scope, const std::vector<fs::path>& chain) {
    std::vector<fs::path> files;
    for (const Node* path : (entry.is_map() ? entry.get("path") : entry).as_list()) {
      OTTO_TRY(const auto local, paths_.readable({*path, "included file"}));
      if (!local) return {};
      if (std::ranges::find(chain, *local) != chain.end()) {
        return make_error(ErrorCode::kConfig, fmt::format("{}: '{}' includes itself", path->place(), local->string()),
                          "take the line out here, or the one by which this file is included");
      }
      model_.read.push_back({*local, true, path->line});
      files.push_back(*local);
    }
    if (files.empty()) return {};
    OTTO_TRY(Scope inner, include_scope(entry, files.front(), scope));
    model_.scopes.push_back(std::move(inner));
    OTTO_TRY(Node included, load_files(files, model_.scopes.back(), chain));
    for (const auto& [kind, word] : kResources) {
      OTTO_RETURN_IF_ERROR(import(document, std::move(included), kind, word));
    }
    return {};
  }

  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kResources = {{{"services", "service"},
                                                                                               {"volumes", "volume"},
                                                                                               {"networks", "network"},
                                                                                               {"secrets", "secret"},
                                                                                               {"configs", "config"}}};

  static Result<void> import(Node& document, Node&& included, std::string_view kind, std::string_view word) {
    Node::Member* const from = included.member(kind);
    if (from == nullptr || !from->value.is_map()) return {};
    Node::Member* into = document.member(kind);
    if (into != nullptr && into->value.is_nothing()) {
      document.erase(kind);
      into = nullptr;
    }
    if (into == nullptr) {
      document.members.push_back(std::move(*from));
      return {};
    }
    for (Node::Member& resource : from->value.members) {
      const Node::Member* known = into->value.member(resource.key);
      if (known == nullptr) {
        into->value.members.push_back(std::move(resource));
      } else if (!is_same(known->value, resource.value)) {
        const bool is_own = known->value.file == document.file;
        return defined_twice(word, is_own ? *known : resource, is_own ? resource : *known);
      }
    }
    return {};
  }

  Result<Scope> include_scope(const Node& entry, const fs::path& first, const Scope& scope) {
    Scope inner{first.parent_path(), scope.lookup};
    std::vector<const Node*> env_files;
    if (entry.is_map()) {
      OTTO_TRY(const auto local, paths_.resolve({entry.get("project_directory"), "project_directory"}));
      if (local) inner.directory = *local;
      env_files = entry.get("env_file").as_list();
    }
    std::map<std::string, std::string> values;  // of several files the last counts, and knows the others' variables
    const auto take = [&](const fs::path& path) -> Result<void> {
      const auto text = read_whole_file(path);
      if (!text) return {};
      OTTO_TRY(auto more, parse_env_file(*text, path.string(), with_file(scope.lookup, values)));
      for (std::string& name : env_file_names(*text)) model_.variables.insert(std::move(name));
      for (auto& [name, value] : more) values.insert_or_assign(name, std::move(value));
      return {};
    };
    for (const Node* file : env_files) {
      OTTO_TRY(const auto local, paths_.resolve({*file, "env_file"}));
      if (!local) continue;
      if (!fs::exists(*local)) {
        return make_error(ErrorCode::kConfig,
                          fmt::format("{}: env_file '{}' does not exist", file->place(), local->string()),
                          "create it, or mend the path");
      }
      model_.read.push_back({*local, true, file->line});
      OTTO_RETURN_IF_ERROR(take(*local));
    }
    const fs::path dot_env = inner.directory / ".env";
    if (env_files.empty() && fs::is_regular_file(dot_env)) {
      model_.read.push_back({dot_env, false, entry.line});
      OTTO_RETURN_IF_ERROR(take(dot_env));
    }
    inner.lookup = with_file(scope.lookup, values);
    return inner;
  }

  // --- extends ---

  /// The services of one file, and where `!reset` and `!override` stand in it.
  struct Definitions {
    std::string file;
    Node services;
    std::vector<NodePath> tagged;
  };

  Result<void> extend_all(Node& document, const std::string& file, const std::vector<NodePath>& tagged) {
    Node::Member* const services = document.member("services");
    if (services == nullptr) return {};
    const auto extends = [](const Node::Member& service) { return !service.value.get("extends").is_nothing(); };
    if (std::ranges::none_of(services->value.members, extends)) return {};
    const Definitions here{file, services->value, tagged};
    for (Node::Member& service : services->value.members) {
      if (!extends(service)) continue;
      std::vector<std::string> seen;
      OTTO_TRY(service.value, extended(here, service.key, seen));
    }
    return {};
  }

  /// A service with all that it extends. `seen`: those that lead here.
  Result<Node> extended(const Definitions& here, const std::string& name, std::vector<std::string>& seen) {
    Node own = here.services.get(name);
    const Node extends = own.get("extends");
    if (extends.is_nothing() || !own.is_map()) return own;
    own.erase("extends");
    const std::string wanted = extends.is_map() ? extends.get("service").text : extends.text;
    const Node& path = extends.get("file");
    const Definitions* there = &here;
    if (!path.is_nothing()) {
      OTTO_TRY(const auto local, paths_.readable({path, "extended file"}));
      if (!local) {
        own.partial = true;
        return own;
      }
      OTTO_TRY(there, definitions_of(*local, *path.scope, path.line));
    }
    seen.push_back(here.file + '\n' + name);
    if (std::ranges::find(seen, there->file + '\n' + wanted) != seen.end()) {
      return make_error(ErrorCode::kConfig,
                        fmt::format("{}: service '{}' extends itself", extends.place(), text::printable(wanted)),
                        "take one of the 'extends' out");
    }
    if (there->services.member(wanted) == nullptr)
      return no_such_service(*there, wanted, path.is_nothing() ? extends : path, there == &here ? name : "");
    OTTO_TRY(Node base, extended(*there, wanted, seen));
    if (!base.is_map()) return own;
    const NodePath place = {"services", name};
    remove_at(base, here.tagged, place);
    merge(base, std::move(own), place);
    return base;
  }

  /// `asking`: the service that extends, where it is one of them.
  static Error no_such_service(const Definitions& there, const std::string& wanted, const Node& where,
                               std::string_view asking) {
    std::vector<std::string> names;
    for (const Node::Member& service : there.services.members) {
      if (service.key != asking) names.push_back(service.key);
    }
    return make_error(
        ErrorCode::kConfig,
        fmt::format("{}: there is no service '{}' to extend in {}{}", where.place(), text::printable(wanted),
                    there.file, text::did_you_mean(wanted, names)),
        names.empty() ? "it has no other service" : fmt::format("its services are {}", text::join(names, ", ")));
  }

  /// A file that is extended is read without what it includes.
  Result<const Definitions*> definitions_of(const fs::path& path, const Scope& scope, unsigned line) {
    const auto known = extended_files_.find({path, &scope});
    if (known != extended_files_.end()) return &known->second;
    model_.read.push_back({path, true, line});
    model_.scopes.push_back({path.parent_path(), scope.lookup});
    OTTO_TRY(std::vector<Node> documents, read_documents(path, model_.scopes.back()));
    Definitions made{path.string(), {}, {}};
    Node all;
    all.kind = Node::Kind::kMap;
    for (Node& document : documents) {
      std::vector<NodePath> tagged = take_tagged(document);
      remove_at(all, tagged);
      std::ranges::move(tagged, std::back_inserter(made.tagged));
      merge(all, std::move(document), {});
    }
    made.services = all.get("services");
    return &extended_files_.emplace(std::pair(path, &scope), std::move(made)).first->second;
  }

  // --- services of several files ---

  /// Those that are there already are left out.
  static Result<void> check_apart(Node::Member& services, const Node& before) {
    for (const Node::Member& service : services.value.members) {
      const Node::Member* known = before.member(service.key);
      if (known != nullptr && !is_same(known->value, service.value)) return defined_twice("service", service, *known);
    }
    std::erase_if(services.value.members,
                  [&](const Node::Member& service) { return before.member(service.key) != nullptr; });
    return {};
  }

  static Error defined_twice(std::string_view word, const Node::Member& again, const Node::Member& known) {
    return make_error(ErrorCode::kConfig,
                      fmt::format("{}: {} '{}' is defined already at {}", again.place(), word,
                                  text::printable(again.key), known.place()),
                      fmt::format("the compose files of one parent are one project: rename one of the two {}s", word));
  }

  Model& model_;
  const Paths paths_;
  std::map<std::pair<fs::path, const Scope*>, Definitions> extended_files_;
};

}  // namespace

Result<Scope> outer_scope(const fs::path& first_file, const GetEnv& getenv, const std::string& project) {
  Scope scope;
  scope.directory = normal_path(first_file).parent_path();
  scope.lookup = [&getenv, project](std::string_view name) -> std::optional<std::string> {
    if (name == "COMPOSE_PROJECT_NAME" && !project.empty()) return project;
    const char* value = getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  const fs::path dot_env = scope.directory / ".env";
  if (const auto text = read_whole_file(dot_env)) {
    OTTO_TRY(const auto values, parse_env_file(*text, dot_env.string(), scope.lookup));
    scope.lookup = with_file(scope.lookup, values);
  }
  return scope;
}

Result<std::unique_ptr<Model>> load_model(const std::vector<fs::path>& files, Scope scope, const GetEnv& getenv) {
  auto model = std::make_unique<Model>();
  model->scope = std::move(scope);
  OTTO_TRY(model->root, Loader(*model, getenv).load_stack(files));
  return model;
}

}  // namespace otto::compose
