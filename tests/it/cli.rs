//! The program as users run it: arguments, output, exit codes.
