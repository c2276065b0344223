// The memory of a process that lives for a moment.
#pragma once

namespace otto::cli {

/// Makes the heap grow in large steps that are not given back, the first of them in huge pages: the first touch of a
/// page costs more than all else that a short command does on some virtual machines (large_vector.h). What is not
/// touched costs nothing. Once, before there are threads; glibc on Linux only.
void prepare_heap();

}  // namespace otto::cli
