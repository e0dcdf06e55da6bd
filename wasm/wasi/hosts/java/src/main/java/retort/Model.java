package retort;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Predicate;
import org.graalvm.polyglot.Context;
import org.graalvm.polyglot.Engine;
import org.graalvm.polyglot.Source;
import org.graalvm.polyglot.Value;
import org.graalvm.polyglot.io.ByteSequence;

/**
 * A reasoning model in a sandbox inside your Java program: retort-plugin.wasm under GraalWasm, pure Java.
 *
 * <p>The module imports nothing: no file, clock or network is open to it. This class reads the model and feeds it piece by piece; the plugin hashes each
 * piece, and parses nothing before all of it was verified. docs/PLUGIN.md describes the functions called here. A Model is for one thread at a time.
 */
public final class Model implements AutoCloseable {
  /** What the plugin refused; kind is a stable word: "trust", "memory", "format", ... */
  public static final class Refused extends RuntimeException {
    public final String kind;

    Refused(String kind, String message) {
      super(message);
      this.kind = kind;
    }
  }

  /** A part of an answer as it comes; finish is null but on the last. */
  public record Piece(String text, boolean reasoning, int token, String finish) {}

  private static final String[] KINDS = {"", "argument", "memory", "format", "unsupported", "context", "template", "json", "buffer", "trust", "io", "interrupted"};
  private static final String[] FINISH = {"none", "stop", "length", "stop_string"};
  private static final int PIECE = 16 << 20; // bytes read at a time where the file has no list of chunks
  private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

  private final Context context;
  private final Value exports;
  private final Value memory;
  private final int model;

  /** The module as the engine has read it, for many models. */
  public static final class Code {
    private final Engine engine = Engine.newBuilder("wasm").option("engine.WarnInterpreterOnly", "false").build();
    private final Source source;

    public Code(Path plugin) throws IOException {
      source = Source.newBuilder("wasm", ByteSequence.create(Files.readAllBytes(plugin)), "retort-plugin").build();
    }
  }

  public Model(Path plugin, Path file, JsonObject trust) throws IOException {
    this(new Code(plugin), file, trust);
  }

  /** Loads a GGUF file; its signature and chunk list are found beside it (FILE.sig, FILE.minisig, FILE.chunks). trust: the policy, which has no default. */
  public Model(Code code, Path file, JsonObject trust) throws IOException {
    context = Context.newBuilder("wasm").engine(code.engine).build();
    try {
      Value module = context.eval(code.source);
      exports = module.newInstance().getMember("exports");
      memory = exports.getMember("memory");
      model = load(file, trust);
    } catch (Throwable problem) {
      context.close(true);
      throw problem;
    }
  }

  @Override
  public void close() {
    context.close(true);
  }

  public JsonObject info() {
    return json("model_info", model);
  }

  /** What the sandbox has taken. */
  public long memoryBytes() {
    return memory.getBufferSize();
  }

  /** A conversation. */
  public int session() {
    return session(new JsonObject());
  }

  /** A conversation; options: n_ctx, n_batch, kv. */
  public int session(JsonObject options) {
    return send("session_new", options, model);
  }

  /** Begins an answer to {"messages": [...], "temperature": ..., ...} (docs/PLUGIN.md) and hands its pieces to each until that returns false. */
  public void chat(int session, JsonObject request, Predicate<Piece> each) {
    send("chat", request, session);
    while (true) {
      int kind = (int) call("step", session, 0);
      if (kind == 0) continue;
      int at = address("event", session);
      int[] word = new int[9];
      for (int i = 0; i < 9; i++) word[i] = memory.readBufferInt(java.nio.ByteOrder.LITTLE_ENDIAN, at + 4L * i);
      String text = new String(read(word[3], word[4]), StandardCharsets.UTF_8);
      if (!each.test(new Piece(text, word[2] == 1, word[1], kind == 2 ? FINISH[word[5]] : null)) || kind == 2) return;
    }
  }

  public JsonObject usage(int session) {
    return json("usage", session);
  }

  public JsonObject proof(int session) {
    return json("proof", session);
  }

  public void closeSession(int session) {
    call("close", session);
  }

  // ---- the functions of the plugin ----

  private long raw(String name, Object... args) {
    Value value = exports.getMember("retort_" + name).execute(args);
    return value.fitsInLong() ? value.asLong() : 0;
  }

  private long call(String name, Object... args) {
    long value = raw(name, args);
    if (value >= 0) return value;
    byte[] text = read(address("last_error"), 508);
    int end = 0;
    while (text[end] != 0) end++;
    throw new Refused(value > -12 ? KINDS[(int) -value] : "unknown", new String(text, 0, end, StandardCharsets.UTF_8));
  }

  private int address(String name, Object... args) {
    int at = (int) raw(name, args);
    if (at == 0) throw new Refused("memory", "the sandbox has no more memory");
    return at;
  }

  private byte[] read(int at, int size) {
    byte[] bytes = new byte[size];
    memory.readBuffer(Integer.toUnsignedLong(at), bytes, 0, size);
    return bytes;
  }

  private void write(long at, byte[] bytes, int size) {
    int i = 0;
    for (; i + 8 <= size; i += 8) memory.writeBufferLong(java.nio.ByteOrder.LITTLE_ENDIAN, at + i, java.nio.ByteBuffer.wrap(bytes, i, 8).order(java.nio.ByteOrder.LITTLE_ENDIAN).getLong());
    for (; i < size; i++) memory.writeBufferByte(at + i, bytes[i]);
  }

  private JsonObject json(String name, int object) {
    int size = (int) call(name, object);
    return JsonParser.parseString(new String(read(address("result"), size), StandardCharsets.UTF_8)).getAsJsonObject();
  }

  private int withBytes(String name, byte[] bytes, Object... before) {
    int at = address("alloc", bytes.length);
    write(Integer.toUnsignedLong(at), bytes, bytes.length);
    Object[] args = java.util.Arrays.copyOf(before, before.length + 2);
    args[before.length] = at;
    args[before.length + 1] = bytes.length;
    try {
      return (int) call(name, args);
    } finally {
      raw("free", at);
    }
  }

  private int send(String name, JsonObject value, Object... before) {
    return withBytes(name, GSON.toJson(value).getBytes(StandardCharsets.UTF_8), before);
  }

  // ---- loading ----

  private static Path beside(Path file, String suffix) {
    return file.resolveSibling(file.getFileName() + suffix);
  }

  private int load(Path file, JsonObject trust) throws IOException {
    String method = trust.has("method") ? trust.get("method").getAsString() : "";
    JsonArray signatures = new JsonArray();
    Path signature = beside(file, method.equals("minisign") ? ".minisig" : ".sig");
    if (!method.equals("unsigned") && !method.equals("pinned") && Files.exists(signature)) signatures.add(Files.readString(signature));
    long size = Files.size(file);
    JsonObject described = new JsonObject(), request = new JsonObject();
    described.addProperty("name", file.getFileName().toString());
    described.addProperty("size", size);
    JsonArray files = new JsonArray();
    files.add(described);
    request.add("trust", trust);
    request.add("signatures", signatures);
    request.add("files", files);
    int loader = send("load_begin", request);
    if (Files.exists(beside(file, ".chunks"))) withBytes("load_chunks", Files.readAllBytes(beside(file, ".chunks")), loader, 0);
    call("load_open", loader);
    long chunk = call("load_chunk_size", loader, 0);
    byte[] piece = new byte[(int) (chunk > 0 ? chunk : method.equals("signify") ? Math.max(size, 1) : PIECE)];
    long at = Integer.toUnsignedLong(address("load_buffer", loader, 0));
    try (InputStream from = Files.newInputStream(file)) {
      long offset = 0;
      for (int n; (n = from.readNBytes(piece, 0, piece.length)) > 0; offset += n) {
        write(at + offset, piece, n);
        call("load_fed", loader, 0, offset, n);
      }
    }
    return (int) call("load_finish", loader);
  }
}
