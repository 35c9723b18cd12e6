using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DL.Core.Kernels;

/// <summary>The floating-point control word of the calling thread, reached through the C library of the system.</summary>
internal abstract unsafe class FloatingPointControl
{
    /// <summary>The way that was found to work in this process, or null.</summary>
    internal static readonly FloatingPointControl? Instance = Find();

    internal abstract string Name { get; }

    internal abstract void SetFlush(bool flush);

    private static FloatingPointControl? Find()
    {
        try
        {
            FloatingPointControl? found = OperatingSystem.IsWindows() ? ControlWord.Open() : Environment.Open();
            return found is not null && Works(found) ? found : null;
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            return null;
        }
    }

    // The layouts below are those of the usual C libraries; on any other the trial shows that nothing is flushed.
    private static bool Works(FloatingPointControl control)
    {
        control.SetFlush(true);
        var flushed = Halve(float.Epsilon * 4) == 0 && Halve(1.1754944e-38f) == 0;
        control.SetFlush(false);
        return flushed && Halve(float.Epsilon * 4) != 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Halve(float value) => value * 0.5f;

    /// <summary>The C library's environment, or its faster mode alone: the bits lie at a place that depends on the processor and the library.</summary>
    private sealed class Environment(nint get, nint set, int offset, uint bits) : FloatingPointControl
    {
        private readonly delegate* unmanaged<byte*, int> get = (delegate* unmanaged<byte*, int>)get;
        private readonly delegate* unmanaged<byte*, int> set = (delegate* unmanaged<byte*, int>)set;

        internal override string Name => "flushed by the floating-point environment of the C library";

        internal override void SetFlush(bool flush)
        {
            var environment = stackalloc byte[64];
            if (get(environment) != 0)
                return;
            var word = (uint*)(environment + offset);
            *word = flush ? *word | bits : *word & ~bits;
            _ = set(environment);
        }

        internal static Environment? Open()
        {
            var arm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
            if (!arm && RuntimeInformation.ProcessArchitecture != Architecture.X64)
                return null;
            string[] names = OperatingSystem.IsMacOS()
                ? ["libSystem.dylib"]
                : ["libm.so.6", arm ? "libc.musl-aarch64.so.1" : "libc.musl-x86_64.so.1", "libm.so"];
            foreach (var name in names)
                if (NativeLibrary.TryLoad(name, out var library))
                    return Open(library, "fegetmode", "fesetmode", arm ? 0 : 4, arm)
                        ?? Open(library, "fegetenv", "fesetenv", EnvironmentOffset(arm), arm);
            return null;
        }

        private static Environment? Open(nint library, string getter, string setter, int offset, bool arm) =>
            NativeLibrary.TryGetExport(library, getter, out var get) && NativeLibrary.TryGetExport(library, setter, out var set)
                ? new Environment(get, set, offset, arm ? 1u << 24 : 1u << 15 | 1u << 6)
                : null;

        // x64: mxcsr follows 28 bytes of x87 state, on macOS 4; arm64: the control register comes first, on macOS second.
        private static int EnvironmentOffset(bool arm) => (arm, OperatingSystem.IsMacOS()) switch
        {
            (false, false) => 28,
            (false, true) => 4,
            (true, false) => 0,
            (true, true) => 8,
        };
    }

    /// <summary>_controlfp_s of the universal C runtime of Windows.</summary>
    private sealed class ControlWord(nint set) : FloatingPointControl
    {
        private const uint DenormalMask = 0x0300_0000;
        private const uint DenormalFlush = 0x0100_0000;
        private readonly delegate* unmanaged[Cdecl]<uint*, uint, uint, int> set = (delegate* unmanaged[Cdecl]<uint*, uint, uint, int>)set;

        internal override string Name => "flushed by the control word of the C runtime";

        internal override void SetFlush(bool flush)
        {
            uint current;
            _ = set(&current, flush ? DenormalFlush : 0, DenormalMask);
        }

        internal static ControlWord? Open() =>
            NativeLibrary.TryLoad("ucrtbase.dll", out var library) && NativeLibrary.TryGetExport(library, "_controlfp_s", out var set)
                ? new ControlWord(set)
                : null;
    }
}
