package retort;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Answers the requests of ../../tests/hosts.py, a line of JSON each: Ask PLUGIN. */
public final class Ask {
  private record Session(Model model, int id) {}

  private static final List<Model> models = new ArrayList<>();
  private static final List<Session> sessions = new ArrayList<>();
  private static Model.Code code;

  private static JsonObject with(String name, Number value) {
    JsonObject out = new JsonObject();
    out.addProperty(name, value);
    return out;
  }

  private static JsonObject answer(JsonObject r) throws Exception {
    if (r.has("open")) {
      models.add(new Model(code, Path.of(r.get("open").getAsString()), r.getAsJsonObject("trust")));
      JsonObject out = with("model", models.size() - 1);
      out.add("info", models.getLast().info());
      return out;
    }
    if (r.has("session")) {
      Model model = models.get(r.get("session").getAsInt());
      sessions.add(new Session(model, model.session(r.getAsJsonObject("options"))));
      return with("session", sessions.size() - 1);
    }
    if (r.has("end")) {
      Session session = sessions.get(r.get("end").getAsInt());
      session.model.closeSession(session.id);
      return with("memory", session.model.memoryBytes());
    }
    if (r.has("close")) {
      models.get(r.get("close").getAsInt()).close();
      return new JsonObject();
    }
    Session session = sessions.get(r.get("in").getAsInt());
    StringBuilder text = new StringBuilder(), reasoning = new StringBuilder();
    JsonObject out = new JsonObject();
    String[] finish = new String[1];
    int[] count = new int[1];
    session.model.chat(session.id, r.getAsJsonObject("chat"), piece -> {
      (piece.reasoning() ? reasoning : text).append(piece.text());
      finish[0] = piece.finish();
      if (!r.has("after") || ++count[0] != r.get("after").getAsInt()) return true;
      if (!r.has("meanwhile")) return false;
      try {
        out.add("meanwhile", answer(r.getAsJsonObject("meanwhile")));
      } catch (Exception problem) {
        throw new RuntimeException(problem);
      }
      return true;
    });
    out.addProperty("answer", text.toString());
    out.addProperty("reasoning", reasoning.toString());
    out.addProperty("finish_reason", finish[0]);
    out.add("usage", session.model.usage(session.id));
    if (finish[0] != null) out.add("proof", session.model.proof(session.id));
    return out;
  }

  public static void main(String[] args) throws Exception {
    code = new Model.Code(Path.of(args[0]));
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = lines.readLine()) != null; ) {
      JsonObject out;
      try {
        out = answer(JsonParser.parseString(line).getAsJsonObject());
      } catch (Model.Refused refused) {
        out = new JsonObject();
        out.addProperty("error", refused.kind);
        out.addProperty("message", refused.getMessage());
      }
      System.out.write((new Gson().toJson(out) + "\n").getBytes(StandardCharsets.UTF_8));
      System.out.flush();
    }
  }
}
