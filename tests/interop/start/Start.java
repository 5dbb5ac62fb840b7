import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** Starts an emulator, talks to it and stops it. */
public final class Start implements AutoCloseable {
    private static final String READY = "listening on ";

    private final Process process;
    private final String endpoint;

    Start(String program) throws IOException {
        process = new ProcessBuilder(program, "--port", "0", "--access-key", "test:test-secret")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String line = new BufferedReader(new InputStreamReader(process.getInputStream())).readLine();
        if (line == null || !line.startsWith(READY)) {
            process.destroy();
            throw new IOException("the emulator does not start");
        }
        endpoint = line.substring(READY.length()).trim();
    }

    String endpoint() {
        return endpoint;
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        process.waitFor();
    }

    public static void main(String[] arguments) throws Exception {
        try (Start emulator = new Start(arguments.length > 0 ? arguments[0] : "oss-emulator")) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(emulator.endpoint() + "/healthz")).build();
            HttpResponse<Void> answer =
                    HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.discarding());
            System.out.println(emulator.endpoint() + " " + answer.statusCode());
        }
    }
}
