#include "cli/completion.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "common/rpc/token.h"
#include "mtp/options/v1/role.pb.h"

namespace mtp::cli {
namespace {

std::vector<std::string> Options(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  return names;
}

// A branch of the script's `case` for the command and all below it. `path` is
// what was typed so far, as ` plan import`.
void AddBranches(const CLI::App& app, const std::string& path,
                 std::string& script) {
  std::vector<std::string> words = Options(app);
  const auto below = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* command : below) words.push_back(command->get_name());
  absl::StrAppend(&script, "    '", path, "') words='",
                  absl::StrJoin(words, " "), "' ;;\n");
  for (const CLI::App* command : below) {
    AddBranches(*command, absl::StrCat(path, " ", command->get_name()), script);
  }
}

std::string Commands(const CLI::App& app) {
  std::vector<std::string> paths;
  const std::function<void(const CLI::App&, const std::string&)> add =
      [&](const CLI::App& at, const std::string& path) {
        for (const CLI::App* command :
             at.get_subcommands([](const CLI::App*) { return true; })) {
          const std::string words =
              absl::StrCat(path, " ", command->get_name());
          paths.push_back(words);
          add(*command, words);
        }
      };
  add(app, "");
  // Between bars, so that one can be looked for whole.
  return absl::StrCat("|", absl::StrJoin(paths, "|"), "|");
}

std::string RoleNames() {
  std::vector<std::string> names;
  for (int i = options::v1::Role_MIN + 1; i <= options::v1::Role_MAX; ++i) {
    names.push_back(rpc::RoleName(static_cast<options::v1::Role>(i)));
  }
  return absl::StrJoin(names, " ");
}

}  // namespace

std::string BashCompletion(const CLI::App& app) {
  std::string branches;
  AddBranches(app, "", branches);
  return absl::StrCat(
      R"sh(# Completion of mtpctl for bash: source <(mtpctl completion bash)
_mtpctl() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  local roles=')sh",
      RoleNames(), R"sh('
  local commands=')sh",
      Commands(app), R"sh('
  local path='' words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ $commands == *"|$path ${COMP_WORDS[i]}|"* ]] && path="$path ${COMP_WORDS[i]}"
  done
  case $before in
    --as) COMPREPLY=($(compgen -W "$roles" -- "$word")); return ;;
    --side) COMPREPLY=($(compgen -W 'order processing' -- "$word")); return ;;
    --ca | --spool) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  case $path in
)sh",
      branches, R"sh(  esac
  case $path in
    ' call') words="$words $("${COMP_WORDS[0]}" methods --names 2>/dev/null)" ;;
    ' token') words="$words $roles" ;;
  esac
  [[ $word == -* || -z $path ]] && words="$words )sh",
      absl::StrJoin(Options(app), " "), R"sh("
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  case $path in
    ' plan import' | ' stocktake') [[ $word == -* ]] || COMPREPLY+=($(compgen -f -- "$word")) ;;
  esac
}
complete -o filenames -F _mtpctl mtpctl
)sh");
}

void AddCompletionCommand(CLI::App& app, Session& session) {
  CLI::App& group = *app.add_subcommand("completion", "Completion for a shell");
  group.require_subcommand(1);
  group.add_subcommand("bash", "Use it with: source <(mtpctl completion bash)")
      ->callback([&app, &session] {
        session.Do([&app, &session] {
          session.out() << BashCompletion(app);
          return absl::OkStatus();
        });
      });
}

}  // namespace mtp::cli
