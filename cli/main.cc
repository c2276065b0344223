// otto's entry: the only place that catches everything, so that a broken promise of a library ends with a message and
// exit 1 instead of a core dump.
#include <cstdio>
#include <exception>

#include "cli/app.h"
#include "cli/process_heap.h"

int main(int argc, char** argv) {
  try {
    otto::cli::prepare_heap();
    return otto::cli::run_process(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "otto: internal error: %s\n", failure.what());
  } catch (...) {
    std::fprintf(stderr, "otto: internal error\n");
  }
  return 1;
}
