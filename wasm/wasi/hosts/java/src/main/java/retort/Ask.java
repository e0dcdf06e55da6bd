package retort;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Answers one request: Ask PLUGIN MODEL.gguf < {"trust": {...}, "chat": {"messages": [...], ...}}, and prints what came as JSON. */
public final class Ask {
  public static void main(String[] args) throws Exception {
    JsonObject request = JsonParser.parseReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).getAsJsonObject(), out = new JsonObject();
    try (Model model = new Model(Path.of(args[0]), Path.of(args[1]), request.getAsJsonObject("trust"))) {
      int session = model.session();
      StringBuilder text = new StringBuilder(), reasoning = new StringBuilder();
      String[] finish = new String[1];
      model.chat(session, request.getAsJsonObject("chat"), piece -> {
        (piece.reasoning() ? reasoning : text).append(piece.text());
        finish[0] = piece.finish();
        return true;
      });
      out.addProperty("text", text.toString());
      out.addProperty("reasoning", reasoning.toString());
      out.addProperty("finish_reason", finish[0]);
      out.add("usage", model.usage(session));
      out.add("proof", model.proof(session));
      out.add("info", model.info());
    } catch (Model.Refused refused) {
      out.addProperty("error", refused.kind);
      out.addProperty("message", refused.getMessage());
    }
    System.out.write((out + "\n").getBytes(StandardCharsets.UTF_8));
  }
}
