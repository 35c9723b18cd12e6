using System.Runtime.CompilerServices;

// Scratch on the stack is written before it is read; clearing it first would cost more than small kernels do.
[module: SkipLocalsInit]
